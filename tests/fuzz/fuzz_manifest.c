/* SPDX-License-Identifier: ISC */
/* A manifest as anybody may have broken it: all errors are told, and what is read is what is meant. */
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "manifest.h"
#include "plan.h"
#include "policy.h"
#include "secret.h"

static const char presets[] =
    "[service nginx]\n"
    "test = /usr/sbin/nginx -t\n"
    "verify = 127.0.0.1:443 sni=www.example.com\n"
    "[service postfix]\n"
    "reload = /usr/sbin/postfix reload\n"
    "[end]\n";

struct file {
	int descriptor;
	char path[40];
};

static struct file
make_file(const void *bytes, size_t size)
{
	struct file file = { .descriptor = memfd_create("manifest", MFD_CLOEXEC) };

	MUST(file.descriptor != -1);
	MUST(pwrite(file.descriptor, bytes, size, 0) == (ssize_t)size);
	(void)snprintf(file.path, sizeof(file.path), "/proc/self/fd/%d", file.descriptor);
	return file;
}

/* NULL when it has errors, as many as are told. */
static struct manifest *
read_bytes(const void *bytes, size_t size)
{
	const struct file file = make_file(bytes, size);
	const struct file preset = make_file(presets, sizeof(presets) - 1);
	struct manifest_errors errors = { 0 };
	struct manifest *manifest = manifest_read(file.path, preset.path, &errors);

	MUST((manifest == NULL) == (errors.count != 0));
	for (size_t i = 0; i < errors.count; i++) {
		MUST(errors.items[i].line <= size + 1);
		MUST(fuzz_is_line(errors.items[i].text));
		MUST(i == 0 || errors.items[i - 1].line <= errors.items[i].line);
	}
	manifest_errors_clear(&errors);
	(void)close(preset.descriptor);
	(void)close(file.descriptor);
	return manifest;
}

/* --- What it says, as one text --- */

static void
say(struct secret *text, const char *words)
{
	const char *const shown = words != NULL ? words : "(none)";

	secret_append(text, shown, strlen(shown));
	secret_append(text, "\n", 1);
}

static void
say_words(struct secret *text, const struct words *words)
{
	for (size_t i = 0; i < words->count; i++)
		say(text, words->items[i]);
	say(text, "");
}

static void
say_manifest(struct secret *text, const struct manifest *manifest)
{
	char *policy = policy_text(manifest);

	say(text, policy);
	free(policy);
	say_words(text, &manifest->vault.addresses);
	say(text, manifest->agent.directory);
	for (size_t i = 0; i < manifest->entry_count; i++) {
		const struct entry *entry = &manifest->entries[i];
		char *keys = plan_judging_keys(entry);

		say(text, entry->name);
		say(text, keys);
		say_words(text, &entry->services);
		for (int part = 0; part < PART_COUNT; part++)
			say(text, entry->outputs[part]);
		free(keys);
	}
	for (size_t i = 0; i < manifest->service_count; i++) {
		say(text, manifest->services[i].name);
		say_words(text, &manifest->services[i].test);
		say_words(text, &manifest->services[i].reload);
	}
}

/* --- Promises --- */

static void
check_entry(const struct manifest *manifest, const struct entry *entry)
{
	MUST(manifest_name_is_valid(entry->name));
	MUST(manifest_find_entry(manifest, entry->name) == entry);
	MUST(entry->any_name || entry->names.count != 0);
	MUST((entry->key_mode & 0007) == 0);
	for (int part = 0; part < PART_COUNT; part++)
		MUST(entry->outputs[part] == NULL || entry->outputs[part][0] == '/');
	for (size_t i = 0; i < entry->services.count; i++)
		MUST(manifest_find_service(manifest, entry->services.items[i]) != NULL);
}

static void
check_service(const struct service *service)
{
	const struct words *const commands[] = { &service->active, &service->test, &service->reload };

	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		MUST(commands[i]->count == 0 || commands[i]->items[0][0] == '/');
	MUST(service->timeout > 0 && service->unit != NULL);
}

/* A comment between any two lines changes nothing. */
static void
check_commented(const struct manifest *manifest, const char *bytes, size_t size)
{
	struct secret commented = { 0 }, first = { 0 }, second = { 0 };
	struct manifest *same;

	for (size_t i = 0; i < size; i++) {
		secret_append(&commented, &bytes[i], 1);
		if (bytes[i] == '\n')
			secret_append(&commented, "\t# x = [y]\n", 11);
	}
	MUST((same = read_bytes(commented.bytes, commented.size)) != NULL);
	say_manifest(&first, manifest);
	say_manifest(&second, same);
	MUST(secret_equal(&first, &second));
	manifest_free(same);
	secret_clear(&second);
	secret_clear(&first);
	secret_clear(&commented);
}

/* Without its last [end] it is cut short, and none. */
static void
check_cut(const char *bytes, size_t size)
{
	struct manifest *cut;

	while (size > 0 && (bytes[size - 1] != ']' ||
	    memmem(bytes, size - 1, "end", 3) == NULL))
		size--;
	MUST(size > 0);
	cut = read_bytes(bytes, size - 1);
	MUST(cut == NULL);
}

static void
check_agent(const void *bytes, size_t size)
{
	const struct file file = make_file(bytes, size);
	struct agent_settings agent;

	manifest_read_agent(file.path, &agent);
	MUST(agent.directory[0] == '/' && agent.state_directory[0] == '/' &&
	    agent.run_directory[0] == '/');
	agent_settings_clear(&agent);
	(void)close(file.descriptor);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct manifest *manifest = read_bytes(bytes, size);

	check_agent(bytes, size);
	if (manifest == NULL)
		return 0;
	for (size_t i = 0; i < manifest->entry_count; i++)
		check_entry(manifest, &manifest->entries[i]);
	for (size_t i = 0; i < manifest->service_count; i++)
		check_service(&manifest->services[i]);
	check_commented(manifest, (const char *)bytes, size);
	check_cut((const char *)bytes, size);
	manifest_free(manifest);
	return 0;
}
