# One of three nodes of OpenBao with integrated storage: /etc/openbao/openbao.hcl on vault1.
# On the others: node_id, api_addr and cluster_addr. The rest is the same on all.

storage "raft" {
  path    = "/var/lib/openbao"
  node_id = "vault1"

  # The fastest: a dead leader is noticed within seconds. The default is meant for small machines.
  performance_multiplier = 1

  # All three, so that the file need not change: a node that is new asks each until one lets it join.
  retry_join {
    leader_api_addr     = "https://vault1.example.com:8200"
    leader_ca_cert_file = "/etc/openbao/tls/ca.pem"
  }
  retry_join {
    leader_api_addr     = "https://vault2.example.com:8200"
    leader_ca_cert_file = "/etc/openbao/tls/ca.pem"
  }
  retry_join {
    leader_api_addr     = "https://vault3.example.com:8200"
    leader_ca_cert_file = "/etc/openbao/tls/ca.pem"
  }
}

# What a standby tells others about this node: its own name, not that of a load balancer.
api_addr     = "https://vault1.example.com:8200"
cluster_addr = "https://vault1.example.com:8201"

listener "tcp" {
  address         = "0.0.0.0:8200"
  cluster_address = "0.0.0.0:8201"
  # Read again at SIGHUP. TLS has to end here where servers log in by their Puppet certificates.
  tls_cert_file   = "/etc/openbao/tls/fullchain.pem"
  tls_key_file    = "/etc/openbao/tls/privkey.pem"
}

# Every request and who made it; secrets in it are hashed. If it cannot be written, nothing is answered: rotate it, and
# send a SIGHUP. (OpenBao's; for HashiCorp's Vault, `certlet-admin setup` makes it by API.)
audit "file" "certlet" {
  options {
    file_path = "/var/log/openbao/audit.log"
  }
}

ui = false
