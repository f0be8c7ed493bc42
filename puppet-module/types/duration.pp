# @summary A time: a number and its unit, as in `30s`, `10m`, `12h`, `25d`
type Certlet::Duration = Pattern[/\A[1-9][0-9]{0,8}[smhd]\z/]
