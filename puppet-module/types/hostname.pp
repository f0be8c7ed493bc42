# @summary A name that a certificate has to be valid for: a host name, a wildcard of one level, or an address
type Certlet::Hostname = Pattern[/\A(?!(?i:any)\z)(\*\.)?[A-Za-z0-9:]([A-Za-z0-9.:-]*[A-Za-z0-9:])?\z/]
