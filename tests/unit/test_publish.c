/* SPDX-License-Identifier: ISC */
#include <check.h>
#include <stdio.h>
#include <sys/stat.h>

#include "publish.c"
#include "support/runner.h"

/* --- Uploads that come to what a test says --- */

static size_t uploads;
static enum failure_kind whole_kind, second_kind;

int
publish_upload(const struct publish_settings *settings, const struct publish_rules *rules,
    struct publish_item items[], size_t count, struct failure *failure)
{
	(void)settings, (void)rules;
	uploads++;
	for (size_t i = 0; i < count; i++) {
		struct failure why;

		if (items[i].step == STEP_DONE)
			continue;
		items[i].step = STEP_DONE;
		items[i].outcome = OUTCOME_UNCHANGED;
		if (i == 1 && second_kind != FAILURE_NONE) {
			(void)failure_set(&why, second_kind, "it is a test");
			publish_item_fail(&items[i], &why);
		}
	}
	return whole_kind == FAILURE_NONE ? 0 : failure_set(failure, whole_kind, "away");
}

void
publish_item_fail(struct publish_item *item, const struct failure *failure)
{
	item->step = STEP_DONE;
	item->outcome = OUTCOME_FAILED;
	item->why = *failure;
}

const char *
publish_item_label(const struct publish_item *item)
{
	return item->name;
}

void
publish_item_clear(struct publish_item *item)
{
	free(item->name);
	free(item->duplicate);
}

/* --- A lock that is free, unless a test says other --- */

static char *locked;	/* "DIRECTORY/NAME" */
static bool held;

int
lock_take(const char *run_directory, const char *name, int *out_lock, struct failure *failure)
{
	free(locked);
	locked = memory_format("%s/%s", run_directory, name);
	*out_lock = -1;
	return held ? failure_set(failure, FAILURE_LOCKED, "another run has held it") : 0;
}

/* --- What is read is good, unless it is called bad --- */

int
publish_source_read(const struct publish_source *source, const char *name, time_t now,
    struct material *out_material, struct edition *out_edition, struct failure *failure)
{
	(void)source, (void)now, (void)out_material, (void)out_edition;
	return strcmp(name, "bad") != 0 ? 0 : failure_set(failure, FAILURE_SETUP, "missing");
}

bool
publish_source_knows_names(const char *name)
{
	return strchr(name, '.') != NULL;
}

/* --- */

static char directory[] = "/tmp/certlet-publish-XXXXXX";
static char *config, *live;
static const struct publish_environment environment;
static struct publish_options options;

static void
set_up(void)
{
	FILE *file;

	ck_assert_ptr_nonnull(mkdtemp(directory));
	config = memory_format("%s/publish.ini", directory);
	live = memory_format("%s/live", directory);
	ck_assert_int_eq(mkdir(live, 0700), 0);
	file = fopen(config, "w");
	ck_assert_ptr_nonnull(file);
	fprintf(file, "[vault]\naddress = https://vault.example.com\n[agent]\nrun_directory = %s/run\n"
	    "[end]\n", directory);
	fclose(file);
	options = (struct publish_options){ .config_file = config, .environment = &environment };
	log_open("test", LOG_LEVEL_QUIET);
}

static void
make_lineage(const char *name)
{
	char *path = memory_format("%s/%s", live, name);

	ck_assert_int_eq(mkdir(path, 0700), 0);
	free(path);
}

static void
remove_path(const char *parent, const char *name)
{
	char *path = memory_format("%s/%s", parent, name);

	if (unlink(path) == -1)
		(void)rmdir(path);
	free(path);
}

static void
tear_down(void)
{
	static const char *const lineages[] = { "a.test", "bad", "b.test", "c c" };

	for (size_t i = 0; i < sizeof(lineages) / sizeof(*lineages); i++)
		remove_path(live, lineages[i]);
	remove_path(directory, "live");
	remove_path(directory, "publish.ini");
	ck_assert_int_eq(rmdir(directory), 0);
	free(config);
	free(live);
	free(locked);
}

START_TEST(one_is_published_under_a_lock)
{
	char *expected = memory_format("%s/run/publish.lock", directory);

	options.source.directory = "/etc/letsencrypt/live/www.example.com";
	ck_assert_int_eq(publish_run(&options), EXIT_WANTED);
	ck_assert_uint_eq(uploads, 1);
	ck_assert_str_eq(locked, expected);
	free(expected);
}
END_TEST

START_TEST(a_dry_run_takes_no_lock)
{
	options.source.directory = "/etc/letsencrypt/live/www.example.com";
	options.dry_run = true;
	ck_assert_int_eq(publish_run(&options), EXIT_WANTED);
	ck_assert_ptr_null(locked);
}
END_TEST

START_TEST(while_another_run_holds_the_lock_nothing_is_done)
{
	options.all = live;
	make_lineage("a.test");
	held = true;
	ck_assert_int_eq(publish_run(&options), EXIT_LOCKED);
	ck_assert_uint_eq(uploads, 0);
}
END_TEST

START_TEST(a_wrong_configuration_or_name_is_exit_1)
{
	options.name = "../x";
	ck_assert_int_eq(publish_run(&options), EXIT_SETUP);
	options.name = "bad";
	ck_assert_int_eq(publish_run(&options), EXIT_SETUP);
	options.config_file = "/nonexistent/publish.ini";
	ck_assert_int_eq(publish_run(&options), EXIT_SETUP);
}
END_TEST

START_TEST(one_bad_lineage_leaves_the_others_as_wanted)
{
	options.all = live;
	ck_assert_int_eq(publish_run(&options), EXIT_WANTED);	/* there is none */
	make_lineage("a.test");
	make_lineage("b.test");
	ck_assert_int_eq(publish_run(&options), EXIT_WANTED);
	make_lineage("bad");
	ck_assert_int_eq(publish_run(&options), EXIT_PARTLY);
	remove_path(live, "bad");
	make_lineage("c c");
	ck_assert_int_eq(publish_run(&options), EXIT_PARTLY);
}
END_TEST

START_TEST(what_went_wrong_is_the_exit_code)
{
	options.all = live;
	make_lineage("a.test");
	make_lineage("b.test");
	second_kind = FAILURE_DENIED;
	ck_assert_int_eq(publish_run(&options), EXIT_PARTLY);
	second_kind = FAILURE_NONE;
	whole_kind = FAILURE_VAULT;
	ck_assert_int_eq(publish_run(&options), EXIT_VAULT);
	whole_kind = FAILURE_SETUP;
	ck_assert_int_eq(publish_run(&options), EXIT_SETUP);
	options.all = "/nonexistent";
	ck_assert_int_eq(publish_run(&options), EXIT_SETUP);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("publish");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, one_is_published_under_a_lock);
	tcase_add_test(tests, a_dry_run_takes_no_lock);
	tcase_add_test(tests, while_another_run_holds_the_lock_nothing_is_done);
	tcase_add_test(tests, a_wrong_configuration_or_name_is_exit_1);
	tcase_add_test(tests, one_bad_lineage_leaves_the_others_as_wanted);
	tcase_add_test(tests, what_went_wrong_is_the_exit_code);
	return run_tests("publish", tests);
}
