import Foundation
import HawserAPI
import Hummingbird
import NIOCore
import NIOFoundationCompat

extension Response {
    static func json(_ value: some Encodable, status: HTTPResponse.Status = .ok) -> Response {
        do {
            var body = ByteBuffer(data: try JSON.pretty(value))
            body.writeInteger(UInt8(ascii: "\n"))
            return Response(status: status, headers: [.contentType: "application/json"], body: ResponseBody(byteBuffer: body))
        } catch {
            return text(.internalServerError, "\(error)\n")
        }
    }

    /// 404 for nil: "there is no pod web-9".
    static func json(_ value: (some Encodable)?, orMissing kind: String, _ id: String) -> Response {
        guard let value else { return error(.notFound, "there is no \(kind) \(id)") }
        return json(value)
    }

    /// `{"error": "…"}`.
    static func error(_ status: HTTPResponse.Status, _ message: String) -> Response {
        json(["error": message], status: status)
    }

    static func text(_ status: HTTPResponse.Status, _ text: String) -> Response {
        Response(status: status, headers: [.contentType: "text/plain"], body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}
