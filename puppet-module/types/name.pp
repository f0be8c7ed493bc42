# @summary The name of a certificate: letters, digits, `.`, `-` and `_`, up to 253, not beginning with `.` or `-`, not ending in `.`
type Certlet::Name = Pattern[/\A[A-Za-z0-9_]([A-Za-z0-9._-]{0,251}[A-Za-z0-9_-])?\z/]
