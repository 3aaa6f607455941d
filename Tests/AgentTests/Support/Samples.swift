/// Intents as a person would write them.
enum Samples {
    static let network = """
        networks:
          - {id: blue, subnets: [{id: blue-4, cidr: 10.1.0.0/24, gateway: 10.1.0.1}]}

        """
    static let group = """
        securityGroups:
          - {id: web, network: blue, rules: [{id: web-http, direction: ingress, protocol: tcp, ports: 80}]}

        """

    static func pods(_ ids: String...) -> String {
        "pods:\n"
            + ids.enumerated().map { index, id in
                "  - {id: \(id), network: blue, namespace: /run/netns/\(id), addresses: [10.1.0.\(10 + index)], securityGroups: [web]}\n"
            }.joined()
    }

    static let all = network + group + pods("web-0", "tenant/web-1")
}
