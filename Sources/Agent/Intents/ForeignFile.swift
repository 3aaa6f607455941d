import CLinux
import Foundation
import Glibc
import SystemPackage

/// A file in a folder that others write to: read as it is at one moment, so far and no further, and only where
/// whoever put it there may have read it.
enum ForeignFile {
    enum Refusal: Error, Hashable, CustomStringConvertible {
        case gone
        case notRegular
        case tooBig(Int)
        /// Of a link: whose it is, and whose the file is that it leads to.
        case linked(by: UInt32, to: UInt32)
        case failed(Errno)

        var description: String {
            switch self {
            case .gone: "it isn't there"
            case .notRegular: "it isn't a regular file"
            case .tooBig(let most): "it is bigger than \(most >> 20) MiB"
            case .linked(let link, let file):
                "it is a link of user \(link) to a file of user \(file): a link leads to a file of the same user, or is root's"
            case .failed(let errno): "\(errno)"
            }
        }
    }

    /// Follows a link that is root's or the daemon's own, or leads to a file of the link's owner. What a text says is
    /// quoted where it is wrong, and others read that: without this rule whoever may write to the folder reads
    /// whatever the daemon can.
    static func read(_ path: String, atMost most: Int) throws(Refusal) -> Data {
        do {
            // Neither is opened by that: a device may do something when it is.
            let place = try FileDescriptor.open(FilePath(path), .readOnly, options: [.path, .noFollow, .closeOnExec])
            defer { try? place.close() }
            let there = try FileDescriptor.open(FilePath(path), .readOnly, options: [.path, .closeOnExec])
            defer { try? there.close() }
            let (link, owner) = (hawser_file_owner(place.rawValue), hawser_file_owner(there.rawValue))
            guard hawser_file_is_regular(there.rawValue) else { throw Refusal.notRegular }
            if link != owner, link != 0, link != geteuid() { throw Refusal.linked(by: link, to: owner) }
            // Just this file, whatever the path leads to by now.
            let same = FilePath("/proc/self/fd/\(there.rawValue)")
            let file = try FileDescriptor.open(same, .readOnly, options: [.nonBlocking, .closeOnExec])
            defer { try? file.close() }
            // It may grow meanwhile, and files of the kernel say no size.
            let handle = FileHandle(fileDescriptor: file.rawValue, closeOnDealloc: false)
            let text = try handle.read(upToCount: most + 1) ?? Data()
            guard text.count <= most else { throw Refusal.tooBig(most) }
            return text
        } catch let refusal as Refusal {
            throw refusal
        } catch Errno.noSuchFileOrDirectory {
            throw .gone
        } catch {
            throw .failed((error as? Errno) ?? .ioError)
        }
    }
}

extension FileDescriptor.OpenOptions {
    fileprivate static var path: Self { Self(rawValue: HAWSER_O_PATH) }
}
