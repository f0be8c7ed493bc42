# @summary The mode of a file, octal
type Certlet::Mode = Pattern[/\A0?[0-7]{3}\z/]
