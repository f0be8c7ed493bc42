# @summary A secret that is never a plain text in a catalog: Sensitive, or Deferred to the node
type Certlet::Credential = Variant[Sensitive[String[1]], Deferred]
