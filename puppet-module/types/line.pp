# @summary A value that fits on one line of the manifest and holds no comment
type Certlet::Line = Pattern[/\A(?![;#\s])(?!.*\s[;#])[^[:cntrl:]]{1,150}(?<!\s)\z/]
