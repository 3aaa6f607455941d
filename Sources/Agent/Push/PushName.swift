import NIOSSL
import X509

/// A name that a certificate proves. A host's name and a common name that read the same are two names: an authority that is careful about the
/// one may let people choose the other.
package struct PushName: Hashable, Sendable, CustomStringConvertible {
    /// As an entry of `push.clients` spells it, before the colon.
    package enum Kind: String, CaseIterable, Sendable { case dns, uri, email, cn }

    package var kind: Kind
    package var text: String

    package init(_ kind: Kind, _ text: String) {
        self.kind = kind
        self.text = text
    }

    package var description: String { "\(kind.rawValue):\(text)" }

    /// How events and the store spell a client: those that a plain entry means stand without their kind.
    var plain: String {
        switch kind {
        case .dns, .uri: text
        case .email, .cn: description
        }
    }

    /// Common names are what a certificate has instead of alternative names, and not beside them.
    fileprivate static func all(alternatives: [PushName]?, common: [String]) -> [PushName] {
        alternatives ?? common.map { PushName(.cn, $0) }
    }
}

extension Certificate {
    /// Whom it names.
    var names: [PushName] {
        let common = subject.flatMap { Array($0) }.filter { $0.type == .RDNAttributeType.commonName }.map { "\($0.value)" }
        do {
            let alternatives = try extensions.subjectAlternativeNames
            return PushName.all(
                alternatives: alternatives.map { names in
                    names.compactMap { name in
                        switch name {
                        case .dnsName(let text): PushName(.dns, text)
                        case .uniformResourceIdentifier(let text): PushName(.uri, text)
                        case .rfc822Name(let text): PushName(.email, text)
                        default: nil
                        }
                    }
                }, common: common)
        } catch {
            // There are some, and nobody can read them.
            return []
        }
    }
}

extension NIOSSLCertificate {
    /// The same as TLS has it, before there is any call.
    var names: [PushName] {
        let alternatives = Array(_subjectAlternativeNames())
        return PushName.all(
            alternatives: alternatives.isEmpty
                ? nil
                : alternatives.compactMap { name in
                    let text = String(decoding: name.contents, as: UTF8.self)
                    return switch name.nameType {
                    case .dnsName: PushName(.dns, text)
                    case .uri: PushName(.uri, text)
                    case .email: PushName(.email, text)
                    default: nil
                    }
                }, common: subjectName.filter { $0.type == .commonName }.map(\.value))
    }
}
