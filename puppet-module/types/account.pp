# @summary A user or a group, by name or by number
type Certlet::Account = Variant[Pattern[/\A(?![0-9]{10})[A-Za-z0-9_][A-Za-z0-9_.@+\\-]*\$?\z/], Integer[0, 4294967294]]
