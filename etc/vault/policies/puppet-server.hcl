# certlet-puppet-server: hand a wrapped secret-id to a server, and never a bare one.
path "auth/@APPROLE@/role/+/secret-id" {
  capabilities     = ["update"]
  min_wrapping_ttl = "60s"
  max_wrapping_ttl = "600s"
}
# Not to become a publisher. (The more specific path decides.)
path "auth/@APPROLE@/role/publisher-*" {
  capabilities = ["deny"]
}
