# certlet-cert-@CERT@: read this certificate and its key; nothing else, and no list.
path "@KV@/data/certs/@CERT@" {
  capabilities = ["read"]
}
# whether there is something new, without the key
path "@KV@/metadata/certs/@CERT@" {
  capabilities = ["read"]
}
