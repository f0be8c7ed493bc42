# @summary The mode of a file that holds a private key: nothing for others
type Certlet::KeyMode = Pattern[/\A0?[0-7]{2}0\z/]
