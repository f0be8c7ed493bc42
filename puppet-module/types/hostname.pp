# @summary A name that a certificate has to be valid for: a host name, or a wildcard of one level
type Certlet::Hostname = Pattern[/\A(\*\.)?[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9])?)*\z/]
