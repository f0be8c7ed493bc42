# shellcheck shell=sh
# SPDX-License-Identifier: ISC
#
# Part of certlet-issue: one archive of all that makes an issuer, and the way back; LOST.md tells when.
#
# It is encrypted to a certificate (CMS with AES-256-GCM, by openssl, which certlet needs anyway). The private key lies
# elsewhere: whoever takes this machine cannot read its old backups, and no passphrase lies about on it.

# What is there of all that makes the issuer, relative to /, one a line. What a server on the same machine has is not its.
files_of_the_issuer() {
	{
		printf '%s\n' /etc/letsencrypt "$settings" "$ACME_KEY_FILE" "$CERTBOT_CREDENTIALS" "$ACME_CA_FILE" \
			"$BACKUP_CERTIFICATE" "$ZONE_DIRECTORY"/_acme-challenge.*.zone
		printf %s "$PARENTS" | awk '{ print $3 }'
		find /etc/certlet -mindepth 1 -maxdepth 1 ! -name live ! -name archive
	} | sort -u | while read -r path; do
		[ ! -e "$path" ] || printf '%s\n' "${path#/}"
	done
}

encrypt() {
	if [ -n "$BACKUP_CERTIFICATE" ]; then
		openssl cms -encrypt -aes-256-gcm -binary -stream -outform DER "$BACKUP_CERTIFICATE"
	else
		cat
	fi
}

backup() {
	step "back up the issuer: ACME account, certificates, TSIG keys, zones, configuration"
	[ -z "$BACKUP_CERTIFICATE" ] || [ -r "$BACKUP_CERTIFICATE" ] || fail 1 "$BACKUP_CERTIFICATE: expected a certificate to encrypt to, found none"
	if [ -n "$dry_run" ]; then
		say "would be archived in $file:"
		files_of_the_issuer | sed 's,^,    /,' >&2
		return
	fi
	(
		umask 077
		trap 'rm -f "$file.new" "$file.failed"' EXIT
		trap 'exit 2' HUP INT TERM
		{ files_of_the_issuer | tar -C / -czf - -T - || : >"$file.failed"; } | encrypt >"$file.new"
		[ ! -e "$file.failed" ]
		mv "$file.new" "$file"
	) || fail 2 "$file: no backup was made"
	if [ -n "$BACKUP_CERTIFICATE" ]; then
		say "$file: $(wc -c <"$file") bytes, encrypted to $BACKUP_CERTIFICATE"
	else
		say "$file: $(wc -c <"$file") bytes, NOT encrypted (no BACKUP_CERTIFICATE in $settings): keep it as safe as the private keys in it"
	fi
}

# What would be lost if the archive took its place.
refuse_to_replace() {
	for path in /etc/letsencrypt/renewal/*.conf /etc/letsencrypt/accounts/*/*/* "$settings"; do
		[ ! -e "$path" ] || [ -n "$force" ] || fail 1 "$path: expected a new machine, found that this one issues already; --force replaces what is there"
	done
}

restore() {
	step "rebuild the issuer from $file"
	[ -r "$file" ] || fail 1 "$file: expected a backup, found none"
	refuse_to_replace
	private=$(mktemp -d)
	trap 'rm -rf "$private"' EXIT
	trap 'exit 2' HUP INT TERM
	# Whole and unaltered, before any of it lands in /etc. (Not: by whom it was made. It is encrypted, and not signed.)
	if [ -n "$key_file" ]; then
		openssl cms -decrypt -inform DER -binary -in "$file" -inkey "$key_file" -out "$private/archive" 9>&- ||
			fail 2 "$file: $key_file does not open it"
	else
		cp "$file" "$private/archive"
	fi
	tar -tzf "$private/archive" >"$private/list" 2>/dev/null || fail 2 "$file: expected an archive, found none: if it is encrypted, give --key FILE"
	grep -q '^etc/letsencrypt/' "$private/list" || fail 2 "$file: expected etc/letsencrypt in it: this is no backup of an issuer"
	if [ -n "$dry_run" ]; then
		say "would be restored:"
		sed 's,^,    /,' "$private/list" >&2
		return
	fi
	tar -C / -xpzf "$private/archive"
	say "$(grep -vc '/$' "$private/list") files are back"
	read_settings "$settings"
	step "the zones at this machine's BIND"
	write_zone_list
	say "named.conf has to have these two lines, as before:"
	printf 'include "%s";\n' "$ACME_KEY_FILE" "$ZONE_LIST"
	if rndc status >/dev/null 2>&1; then
		reconfigure_named
		say "BIND has read them"
	else
		say "BIND does not run yet: start it"
	fi
	step "what remains"
	say "let $NAME_SERVERS point to this machine, then look: certlet-issue --check$(for path in /etc/letsencrypt/renewal/*.conf; do
		[ ! -e "$path" ] || printf ' %s' "$(basename "$path" .conf)"
	done)"
	say "systemctl enable --now certlet-renew.timer certlet-publish-all.timer"
	for domain in $(not_in_the_archive); do
		say "$domain is here and not in $file: if it was removed since, certlet-issue --remove $domain"
	done
}

# The domains of this machine that the archive does not bring: on one that stands by, they were removed on the first.
not_in_the_archive() {
	for path in /etc/letsencrypt/renewal/*.conf "$ZONE_DIRECTORY"/_acme-challenge.*.zone; do
		if [ -e "$path" ] && ! grep -Fqx "${path#/}" "$private/list"; then
			basename "$path" | sed 's/^_acme-challenge\.//; s/\.[a-z]*$//'
		fi
	done | sort -u
}
