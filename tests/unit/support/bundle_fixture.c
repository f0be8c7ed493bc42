/* SPDX-License-Identifier: ISC */
#include "bundle_fixture.h"

struct made root, upper, lower, leaf;
struct secret text;
struct bundle *bundle;
struct material material;
struct failure why;

void
fixture_set_up(void)
{
	root = make_certificate((struct wish){ .subject = "Root", .ca = true }, NULL);
	upper = make_certificate((struct wish){ .subject = "Upper", .ca = true }, &root);
	lower = make_certificate((struct wish){ .subject = "Lower", .ca = true }, &upper);
	leaf = make_certificate((struct wish){ 0 }, &lower);
}

void
fixture_tear_down(void)
{
	material_clear(&material);
	bundle_free(bundle);
	secret_clear(&text);
	made_clear(&leaf);
	made_clear(&lower);
	made_clear(&upper);
	made_clear(&root);
}

int
fixture_read_and_write(void)
{
	const struct secret *const texts[] = { &text };

	bundle_free(bundle);
	bundle = NULL;
	material_clear(&material);
	if (bundle_read(texts, 1, &bundle, &why) == -1)
		return -1;
	return bundle_write(bundle, &material, &why);
}
