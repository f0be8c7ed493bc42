# @POLICY@: each host reads the copies below hosts/ITS-NAME/. The name is the one that Vault knows from the
# login, not one that the host says: @WHO@
path "@KV@/data/hosts/{{identity.entity.aliases.@ACCESSOR@.@FIELD@}}/*" {
  capabilities = ["read"]
}
path "@KV@/metadata/hosts/{{identity.entity.aliases.@ACCESSOR@.@FIELD@}}/*" {
  capabilities = ["read"]
}
