import NIOSSL
import SwiftASN1
import X509

/// A name that a certificate proves. A host's name and a common name that read the same are two names: an authority that is careful about the
/// one may let people choose the other.
///
/// Names are the same where their bytes are. Swift's texts are the same where Unicode calls them equivalent, as the
/// letter K and the Kelvin sign are, and an authority that tells those apart signs both.
package struct PushName: Hashable, Sendable, CustomStringConvertible {
    /// As an entry of `push.clients` spells it, before the colon.
    package enum Kind: String, CaseIterable, Sendable { case dns, uri, email, cn }

    package var kind: Kind
    package var text: String

    package init(_ kind: Kind, _ text: String) {
        self.kind = kind
        self.text = text
    }

    package static func == (left: PushName, right: PushName) -> Bool {
        left.kind == right.kind && left.text.utf8.elementsEqual(right.text.utf8)
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(kind)
        // Of equivalent texts it is the same.
        hasher.combine(text)
    }

    package var description: String { "\(kind.rawValue):\(text)" }

    /// How events and the store spell a client: those that a plain entry means stand without their kind.
    var plain: String {
        switch kind {
        case .dns, .uri: text
        case .email, .cn: description
        }
    }
}

extension Certificate {
    /// The names that it proves: common names only where there are no alternative names, because they are what a
    /// certificate has instead.
    var names: [PushName] {
        do {
            guard let alternatives = try extensions.subjectAlternativeNames else { return commonNames }
            return alternatives.compactMap { name in
                switch name {
                case .dnsName(let text): PushName(.dns, text)
                case .uniformResourceIdentifier(let text): PushName(.uri, text)
                case .rfc822Name(let text): PushName(.email, text)
                default: nil
                }
            }
        } catch {
            // There are some, and nobody can read them.
            return []
        }
    }

    private var commonNames: [PushName] {
        subject.flatMap { Array($0) }.filter { $0.type == .RDNAttributeType.commonName }
            .compactMap { String($0.value) }.map { PushName(.cn, $0) }
    }
}

extension NIOSSLCertificate {
    /// The same as TLS has it, before there is any call: read as the library reads it for calls, so that who gets a
    /// place is who may call.
    var names: [PushName] { (try? Certificate(derEncoded: toDERBytes()))?.names ?? [] }
}
