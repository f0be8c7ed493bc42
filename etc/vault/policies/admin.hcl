# certlet-admin: the daily verbs of certlet-admin(8), without the root token. No certificate can be read with it,
# but whoever makes roles and policies can give himself what he likes: the audit log tells.
path "auth/@APPROLE@/role/*" {
  capabilities = ["create", "read", "update", "delete", "list"]
}
path "auth/@CERTAUTH@/certs/*" {
  capabilities = ["create", "read", "update", "delete", "list"]
}
path "sys/policies/acl/certlet-cert-*" {
  capabilities = ["create", "read", "update", "delete"]
}
# Does the certificate exist? Names and dates, no key.
path "@KV@/metadata/certs/*" {
  capabilities = ["read", "list"]
}
