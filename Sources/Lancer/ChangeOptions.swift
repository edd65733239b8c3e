/// How a change that writes no rows is committed.
public struct ChangeOptions: Sendable, Hashable {
    /// Whether the change returns only when its bytes would survive a loss of power.
    public var durable = true
    /// Text kept with the new version, shown by ``Dataset/versions()``.
    public var message: String?

    /// The defaults, to be changed one by one.
    public init() {}

    /// Defaults with a text for the version.
    public init(message: String?) { self.message = message }
}
