"""What certlet is compared with: `bao agent`, which logs in with AppRole and renders certificate and key by its templates."""

from support import process

LOGIN = """vault {{
  address = "{vault.address}"
  ca_cert = "{vault.ca_file}"
}}
auto_auth {{
  method "approle" {{
    mount_path = "auth/{vault.auth_mount}"
    config = {{
      role_id_file_path = "{here}/role-id"
      secret_id_file_path = "{here}/secret-id"
      remove_secret_id_file_after_reading = false
    }}
  }}
}}
template_config {{
  static_secret_render_interval = "1s"
  exit_on_retry_failure = true
}}
exit_after_auth = {once}
"""
TEMPLATE = """template {{
  destination = "{here}/{name}/{file}"
  perms = "0600"
  contents = "{{{{ with secret \\"{mount}/data/certs/{name}\\" }}}}{{{{ {fields} }}}}{{{{ end }}}}"
}}
"""
# The same two files that certlet's users point a service at.
FILES = {"fullchain.pem": ".Data.data.cert }}{{ .Data.data.chain", "privkey.pem": ".Data.data.privkey"}


class Agent:
    """For the certificates `names` of a Vault (support/bao.py), in a directory of its own: files at directory/NAME/."""

    def __init__(self, directory, vault, names, once):
        self.directory = directory
        directory.mkdir()
        (directory / "role-id").write_text(vault.role_id)
        (directory / "secret-id").write_text(vault.secret_id)
        self.file = directory / "agent.hcl"
        self.file.write_text(LOGIN.format(vault=vault, here=directory, once=str(once).lower()) + "".join(
            TEMPLATE.format(here=directory, name=name, file=file, mount=vault.kv_mount, fields=fields)
            for name in names for file, fields in FILES.items()))
        self.command = [process.bao_program(), "agent", f"-config={self.file}"]
        self.environment = {"PATH": "/usr/bin:/bin", "HOME": str(directory)}
