# shellcheck shell=sh
# SPDX-License-Identifier: ISC
#
# Part of certlet-issue: one archive of all that makes an issuer, and the way back; LOST.md tells when.
#
# It is encrypted to a certificate (CMS with AES-256-GCM, by openssl, which certlet needs anyway). The private key lies
# elsewhere: whoever takes this machine cannot read its old backups, and no passphrase lies about on it. That certificate is
# no secret, so the archive is signed as well, in a file beside it.

SIGNER=/etc/certlet/backup-signer

# What is there of all that makes the issuer, relative to /, one a line. What a server on the same machine has is not its.
# Whoever reads an archive that is not encrypted must not be able to sign others.
files_of_the_issuer() {
	{
		printf '%s\n' /etc/letsencrypt "$settings" "$ACME_KEY_FILE" "$CERTBOT_CREDENTIALS" "$ACME_CA_FILE" \
			"$BACKUP_CERTIFICATE" "$ZONE_DIRECTORY"/_acme-challenge.*.zone
		printf %s "$PARENTS" | awk '{ print $3 }'
		find /etc/certlet -mindepth 1 -maxdepth 1 ! -name live ! -name archive
	} | sort -u | while read -r path; do
		case $path in "$SIGNER".*) [ -n "$BACKUP_CERTIFICATE" ] || continue ;; esac
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

# An encrypted archive brings it to the next machine. The certificate comes last, so that there is none without its key.
make_signer() {
	[ ! -s "$SIGNER.key" ] || [ ! -s "$SIGNER.pem" ] || return 0
	said=''
	# Each with &&, for `set -e` does not hold before a ||.
	rm -f "$SIGNER.pem" "$SIGNER.key" &&
		said=$(umask 077 && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 36500 \
			-subj '/CN=certlet-issue --backup' -keyout "$SIGNER.key" -out "$SIGNER.new" 2>&1) &&
		# On a full disk openssl leaves less than it says.
		said=$(openssl cms -sign -signer "$SIGNER.new" -inkey "$SIGNER.key" -in /dev/null -out /dev/null 2>&1) &&
		said=$(mv "$SIGNER.new" "$SIGNER.pem" 2>&1) || return
	say "$SIGNER.pem is new, and the one of earlier backups does not know those that follow"
}

backup() {
	step "back up the issuer: ACME account, certificates, TSIG keys, zones, configuration"
	[ -z "$BACKUP_CERTIFICATE" ] || [ -r "$BACKUP_CERTIFICATE" ] || fail 1 "$BACKUP_CERTIFICATE: expected a certificate to encrypt to, found none"
	if [ -n "$dry_run" ]; then
		say "would be archived in $file:"
		files_of_the_issuer | sed 's,^,    /,' >&2
		return
	fi
	make_signer || fail 2 "$SIGNER.pem: could not be made${said:+: $said}"
	(
		umask 077
		trap 'rm -f "$file.new" "$file.sig.new" "$file.failed"' EXIT
		trap 'exit 2' HUP INT TERM
		# Each with &&, for `set -e` does not hold before a ||.
		{ files_of_the_issuer | tar -C / -czf - -T - || : >"$file.failed"; } | encrypt >"$file.new" &&
			[ ! -e "$file.failed" ] &&
			openssl cms -sign -binary -outform DER -md sha256 -nocerts -signer "$SIGNER.pem" -inkey "$SIGNER.key" \
				-in "$file.new" -out "$file.sig.new" &&
			# Whoever dies from here on leaves the archive that the signature belongs to.
			trap '' HUP INT TERM &&
			mv "$file.sig.new" "$file.sig" &&
			trap - EXIT &&
			mv "$file.new" "$file"
	) || fail 2 "$file: no backup was made"
	if [ -n "$BACKUP_CERTIFICATE" ]; then
		say "$file: $(wc -c <"$file") bytes, encrypted to $BACKUP_CERTIFICATE"
	else
		say "$file: $(wc -c <"$file") bytes, NOT encrypted (no BACKUP_CERTIFICATE in $settings): keep it as safe as the private keys in it; $SIGNER.key is not among them"
	fi
	say "$file.sig: that it is from here; keep $SIGNER.pem elsewhere, for --restore --signer"
}

# is_signed ARCHIVE: by whom it has to be?
is_signed() {
	openssl cms -verify -binary -inform DER -in "$file.sig" -content "$1" -certfile "$signer" -nointern -noverify -out /dev/null 9>&-
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
	# Whole, unaltered and its own, before any of it lands in /etc; a copy, which nobody changes meanwhile.
	cp "$file" "$private/archive"
	if [ -z "$signer" ]; then
		say "nobody has looked by whom it was made: --signer FILE does"
	elif ! is_signed "$private/archive"; then
		fail 2 "$file: expected a backup signed by $signer in $file.sig, found none"
	fi
	if [ -n "$key_file" ]; then
		mv "$private/archive" "$private/encrypted"
		openssl cms -decrypt -inform DER -binary -in "$private/encrypted" -inkey "$key_file" -out "$private/archive" 9>&- ||
			fail 2 "$file: $key_file does not open it"
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
	say "certlet-publish --all $LINEAGES, and for what was renewed after this backup, which it then names: certlet-issue --renew --force DOMAIN"
	[ -s "$SIGNER.key" ] ||
		say "the archive brought no $SIGNER.key, as it was not encrypted: the next --backup makes one, and a new $SIGNER.pem to keep elsewhere"
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
