# @summary A value of one word
type Certlet::Word = Pattern[/\A[^[:space:][:cntrl:];#]{1,150}\z/]
