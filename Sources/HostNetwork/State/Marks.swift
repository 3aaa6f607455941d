/// What tells, with no memory at all, that an object of the kernel is Hawser's. Nothing without its mark is ever touched.
package enum Marks {
    /// The link group of every host side (`IFLA_GROUP`): "hw" in ASCII. Set in the message that makes the link.
    package static let linkGroup: UInt32 = 0x6877
    /// That of every VXLAN device: "hv" in ASCII. Another than the pods', whose packets are told by theirs.
    package static let tunnelGroup: UInt32 = 0x6876
    /// The protocol of every route on the host (`rtm_protocol`, linux/rtnetlink.h): a number that no routing daemon uses.
    package static let routeProtocol: UInt8 = 0x68
    /// The name of the tables, of each family.
    package static let table = "hawser"
    /// The MAC of every host side: the same on all hosts, so that a pod that moves keeps its gateway. Locally administered.
    package static let hostMAC = MAC(0x0268_7773_7200)
}
