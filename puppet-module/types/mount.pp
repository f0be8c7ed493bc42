# @summary A path in Vault, as of a mount or a namespace, in which a policy would see no wildcard
type Certlet::Mount = Pattern[/\A(?!(.*\/)?(\.{1,2}|\+)?(\/|\z))(?!.*(\+\*|\{\{|\}\}|[.*]\z))[!-~&&[^;#]]+\z/]
