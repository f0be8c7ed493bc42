/* SPDX-License-Identifier: ISC */
/* certlet's own files state.json and origin: what is read is written again as it was read. */
#include "fuzz.h"
#include "origin.h"
#include "state.h"

static void
check_state(const char *text, size_t size)
{
	struct failure why = { 0 };
	struct state state, again;
	char *written, *twice;

	if (state_decode(text, size, &state, &why) == -1) {
		MUST(why.kind == FAILURE_INTERNAL && fuzz_is_line(why.text));
		return;
	}
	for (size_t i = 1; i < state.certificate_count; i++)
		MUST(strcmp(state.certificates[i - 1].name, state.certificates[i].name) < 0);
	for (size_t i = 0; i < state.certificate_count; i++)
		MUST(state_find(&state, state.certificates[i].name) == &state.certificates[i]);
	MUST((written = state_encode(&state)) != NULL);
	if (state_decode(written, strlen(written), &again, &why) == -1) {
		(void)fprintf(stderr, "%s: %s\n", why.text, written);
		abort();
	}
	MUST((twice = state_encode(&again)) != NULL);
	MUST(again.certificate_count == state.certificate_count);
	MUST(again.service_count == state.service_count);
	MUST(strcmp(written, twice) == 0);
	free(written);
	free(twice);
	state_clear(&again);
	state_clear(&state);
}

static void
check_origin(const char *text, size_t size)
{
	struct failure why = { 0 };
	struct origin origin = { 0 }, again = { 0 };
	char *written, *twice;

	if (origin_decode(text, size, &origin, &why) == -1) {
		MUST(why.kind == FAILURE_DISK && fuzz_is_line(why.text));
		return;
	}
	MUST((written = origin_encode(&origin)) != NULL);
	if (origin_decode(written, strlen(written), &again, &why) == -1) {
		(void)fprintf(stderr, "%s: %s\n", why.text, written);
		abort();
	}
	MUST((twice = origin_encode(&again)) != NULL);
	MUST(strcmp(written, twice) == 0);
	MUST(version_equal(&origin.version, &again.version));
	free(written);
	free(twice);
	origin_clear(&again);
	origin_clear(&origin);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	check_state((const char *)bytes, size);
	check_origin((const char *)bytes, size);
	return 0;
}
