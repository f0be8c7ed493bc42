# @summary A value of one word
type Certlet::Word = Pattern[/\A[^[:space:][:cntrl:];#]+\z/]
