# @summary A service that no preset covers, or what is to differ from its preset: a `[service NAME]` section, see certlet.ini(5)
type Certlet::Service = Struct[{
  Optional['unit']        => Pattern[/\A(?![.-])[A-Za-z0-9:_.@\\-]{1,253}(?<!\.)\z/],
  Optional['active']      => Certlet::Command,
  Optional['active_sysv'] => Certlet::Command,
  Optional['test']        => Certlet::Command,
  Optional['reload']      => Certlet::Command,
  Optional['reload_sysv'] => Certlet::Command,
  Optional['verify']      => Certlet::Verify,
  Optional['timeout']     => Certlet::Duration,
}]
