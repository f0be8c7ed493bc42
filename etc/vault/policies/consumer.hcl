# certlet-consumer: beside the policies of its certificates, what the clients of others ask about their own
# token. (certlet needs none of it.)
path "auth/token/lookup-self" {
  capabilities = ["read"]
}
path "auth/token/renew-self" {
  capabilities = ["update"]
}
path "auth/token/revoke-self" {
  capabilities = ["update"]
}
