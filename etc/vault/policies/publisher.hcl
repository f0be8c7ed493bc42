# certlet-publisher, for the issuing host: put certificates into the repository, and see what it holds.
# No delete and no destroy: what was published once stays until an administrator removes it.

# create and update are both needed: the server decides which one it is by whether the path exists.
path "@KV@/data/certs/*" {
  capabilities = ["create", "update", "read"]
}
# custom_metadata: fingerprint, names and dates. list, with the next one: certlet-publish --list, which reads no private key.
path "@KV@/metadata/certs/*" {
  capabilities = ["create", "update", "read", "list"]
}
# OpenBao's; two hundred certificates with one request.
path "@KV@/detailed-metadata/certs/*" {
  capabilities = ["list"]
}

# The copies for single hosts, where servers are set up with --per-host.
path "@KV@/data/hosts/*" {
  capabilities = ["create", "update", "read"]
}
path "@KV@/metadata/hosts/*" {
  capabilities = ["create", "update", "read"]
}
