/// As the .proto files have them, which a test compares.
extension MessageShape {
    /// `hawser.v1.PushRequest`.
    static let push: MessageShape = {
        let networks: MessageShape = [3: [6: [:]]]
        let groups: MessageShape = [4: [5: [:], 6: [:], 7: [:]]]
        let resources: MessageShape = [1: networks, 2: groups, 3: [:], 4: [8: [:]], 5: [:]]
        return [2: [1: resources, 2: [:]], 3: [1: resources], 5: [1: [:]]]
    }()

    /// `alcor.schema.GoalState`.
    static let goalState: MessageShape = [2: vpc, 3: subnet, 4: port, 5: neighbor, 6: group, 7: dhcp, 8: router, 9: gateway]

    /// `alcor.schema.GoalStateV2`, whose maps are messages of a key and a value.
    static let goalStateV2: MessageShape = [
        2: [2: [1: [:]]], 3: [2: vpc], 4: [2: subnet], 5: [2: port], 6: [2: dhcp], 7: [2: neighbor], 8: [2: group], 9: [2: router],
        10: [2: gateway],
    ]

    /// `alcor.schema.NeighborRulesRequest`.
    static let neighborRules: MessageShape = [3: neighbor]

    private static let vpc: MessageShape = [2: [:]]
    private static let subnet: MessageShape = [2: [10: [:], 12: [:], 13: [:]]]
    private static let port: MessageShape = [2: [11: [:], 12: [:], 13: [:], 14: [:]]]
    private static let neighbor: MessageShape = [2: [10: [:], 11: [:], 12: [:]]]
    private static let group: MessageShape = [2: [7: [:]]]
    private static let dhcp: MessageShape = [2: [:]]
    private static let router: MessageShape = [2: [6: [2: [7: [:]]]]]
    private static let gateway: MessageShape = [2: [5: [:], 6: [:], 7: [:]]]
}
