# @summary A time: a number and its unit, as in `30s`, `10m`, `12h`, `25d`
type Certlet::Duration = Pattern[/\A[1-9]([0-9]{0,8}s|[0-9]{0,6}m|[0-9]{0,4}h|[0-9]{0,3}d)\z/]
