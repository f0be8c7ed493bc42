/* SPDX-License-Identifier: ISC */
/* plan is pure: the whole table wanted × installed × disk can be walked through here. */
#include <check.h>
#include <stdio.h>

#include "plan.c"
#include "support/runner.h"

#define NOW ((time_t)1800000000)
#define DAY ((time_t)86400)

static char *entry_names[] = { "www.example.test", NULL };
static struct entry entry;
static struct owned owned;
static struct disk disk;
static struct origin candidate, intent;
static struct step step;
static const struct agent_settings agent = { .warn = 25 * 86400, .critical = 7 * 86400 };

static struct version
version_of(unsigned int number)
{
	struct version version = { .number = number };

	(void)snprintf(version.created, sizeof(version.created), "2026-01-%02uT00:00:00Z", number);
	return version;
}

static void
set_origin(struct origin *origin, unsigned int number, time_t not_after)
{
	*origin = (struct origin){ .source = entry.source, .version = version_of(number) };
	origin->leaf.not_before = not_after - 90 * DAY;
	origin->leaf.not_after = not_after;
}

/* Wanted, and nothing else known: every test begins here. */
static void
begin(void)
{
	entry = (struct entry){
		.name = entry_names[0], .source = "kv:secret/certs/www.example.test",
		.names = { entry_names, 1 },
	};
	owned = (struct owned){ .name = entry.name };
	disk = (struct disk){ 0 };
}

/* Version 3 is installed as generation 5, and all is well. */
static void
install(void)
{
	begin();
	owned.generation = owned.passed = 5;
	owned.judged_by = plan_judging_keys(&entry);
	disk.live = 5;
	disk.sound = true;
	set_origin(&disk.origin, 3, NOW + 60 * DAY);
}

static void
end(void)
{
	free(owned.judged_by);
	owned.judged_by = NULL;
}

static void
plan(bool lifted)
{
	plan_step(&entry, &owned, &disk, &agent, lifted, false, NOW, &step);
}

static void
wait_as_candidate(unsigned int generation, unsigned int number)
{
	owned.candidate = generation;
	disk.candidate = &candidate;
	set_origin(&candidate, number, NOW + 80 * DAY);
}

static void
quarantine(unsigned int number, time_t until)
{
	owned.quarantine = (struct quarantine){ .version = version_of(number), .until = until };
}

START_TEST(a_certificate_never_seen_is_asked_for_without_a_known_version)
{
	begin();
	plan_step(&entry, NULL, &disk, &agent, false, false, NOW, &step);
	ck_assert(step.ask);
	ck_assert_uint_eq(step.settled, 0);
	ck_assert(version_is_none(&step.question.installed));
	ck_assert(!step.damaged && !step.repair && !step.candidate_due);
}
END_TEST

START_TEST(an_installed_certificate_is_asked_for_by_its_version)
{
	const struct version three = version_of(3);

	install();
	plan(false);
	ck_assert_uint_eq(step.settled, 5);
	ck_assert(version_equal(&step.question.installed, &three));
	ck_assert(!step.damaged && !step.repair && !step.question.damaged);
	ck_assert(version_is_none(&step.question.spared[0]));
	end();
}
END_TEST

START_TEST(a_generation_whose_state_was_lost_is_known_by_its_link)
{
	install();
	plan_step(&entry, NULL, &disk, &agent, false, false, NOW, &step);
	ck_assert_uint_eq(step.settled, 5);
	ck_assert_msg(version_is_none(&step.question.installed), "nobody knows how it was judged");
	end();
}
END_TEST

START_TEST(the_link_is_believed_where_the_state_names_another_generation)
{
	install();
	disk.live = 4;
	plan(false);
	ck_assert_uint_eq(step.settled, 4);
	end();
}
END_TEST

START_TEST(a_lost_link_is_repaired_in_place)
{
	install();
	disk.live = 0;
	disk.link_lost = true;
	plan(false);
	ck_assert_uint_eq(step.settled, 5);
	ck_assert(step.repair && !step.damaged);
	end();
}
END_TEST

START_TEST(drift_of_owner_or_mode_is_repaired_in_place)
{
	install();
	disk.drifted = true;
	plan(false);
	ck_assert(step.repair && !step.damaged && !step.question.damaged);
	end();
}
END_TEST

START_TEST(an_output_that_the_state_lost_is_recorded_and_nothing_is_repaired)
{
	install();
	disk.unrecorded = true;
	plan(false);
	ck_assert(step.record && !step.repair && !step.damaged);
	end();
}
END_TEST

START_TEST(damaged_content_asks_for_a_new_generation)
{
	const struct version three = version_of(3);

	install();
	disk.sound = false;
	plan(false);
	ck_assert(step.damaged && step.question.damaged);
	ck_assert(version_equal(&step.question.installed, &three));
	end();
}
END_TEST

START_TEST(another_source_makes_the_installed_version_unknown)
{
	install();
	entry.source = "kv:secret/elsewhere";
	plan(false);
	ck_assert(version_is_none(&step.question.installed));
	ck_assert_uint_eq(step.settled, 5);
	end();
}
END_TEST

START_TEST(other_names_make_the_installed_version_unjudged)
{
	char *more[] = { "www.example.test", "example.test", NULL };

	install();
	entry.names = (struct words){ more, 2 };
	plan(false);
	ck_assert(version_is_none(&step.question.installed));
	end();
}
END_TEST

START_TEST(a_refused_version_is_not_read_again)
{
	const struct version four = version_of(4);

	install();
	owned.refused = (struct refusal){
		.version = four, .source = entry.source, .judged_by = owned.judged_by,
	};
	plan(false);
	ck_assert(version_equal(&step.question.spared[0], &four));
	end();
}
END_TEST

START_TEST(a_refusal_ends_when_its_time_has_come)
{
	install();
	owned.refused = (struct refusal){
		.version = version_of(4), .source = entry.source, .judged_by = owned.judged_by,
		.retry = NOW,
	};
	plan(false);
	ck_assert(version_is_none(&step.question.spared[0]));
	owned.refused.retry = NOW + 1;
	plan(false);
	ck_assert(!version_is_none(&step.question.spared[0]));
	end();
}
END_TEST

START_TEST(a_refusal_ends_with_other_judging_keys_or_another_source_or_by_name)
{
	install();
	owned.refused = (struct refusal){
		.version = version_of(4), .source = entry.source, .judged_by = "names other",
	};
	plan(false);
	ck_assert(version_is_none(&step.question.spared[0]));
	owned.refused.judged_by = owned.judged_by;
	owned.refused.source = "kv:secret/elsewhere";
	plan(false);
	ck_assert(version_is_none(&step.question.spared[0]));
	owned.refused.source = entry.source;
	plan(true);
	ck_assert(version_is_none(&step.question.spared[0]));
	end();
}
END_TEST

START_TEST(a_refusal_ends_once_when_the_installed_one_becomes_critical)
{
	install();
	set_origin(&disk.origin, 3, NOW + 6 * DAY);
	owned.refused = (struct refusal){
		.version = version_of(4), .source = entry.source, .judged_by = owned.judged_by,
	};
	plan(false);
	ck_assert(version_is_none(&step.question.spared[0]));
	owned.refused.critical = true;
	plan(false);
	ck_assert(!version_is_none(&step.question.spared[0]));
	end();
}
END_TEST

START_TEST(a_candidate_is_tried_from_disk_and_not_read_again)
{
	const struct version four = version_of(4);

	install();
	wait_as_candidate(6, 4);
	plan(false);
	ck_assert(step.candidate_kept && step.candidate_due);
	ck_assert(version_equal(&step.question.spared[0], &four));
	end();
}
END_TEST

START_TEST(a_quarantined_candidate_waits_until_its_time)
{
	install();
	wait_as_candidate(6, 4);
	quarantine(4, NOW + 1);
	plan(false);
	ck_assert(step.candidate_kept && !step.candidate_due);
	quarantine(4, NOW);
	plan(false);
	ck_assert(step.candidate_due);
	end();
}
END_TEST

START_TEST(a_name_on_the_command_line_lifts_the_quarantine)
{
	install();
	wait_as_candidate(6, 4);
	quarantine(4, NOW + DAY);
	plan(true);
	ck_assert(step.candidate_due);
	end();
}
END_TEST

START_TEST(the_quarantine_of_another_version_holds_nothing_up)
{
	install();
	wait_as_candidate(6, 5);
	quarantine(4, NOW + DAY);
	plan(false);
	ck_assert(step.candidate_due);
	end();
}
END_TEST

START_TEST(the_quarantine_ends_once_when_the_installed_one_becomes_critical)
{
	install();
	set_origin(&disk.origin, 3, NOW + 6 * DAY);
	wait_as_candidate(6, 4);
	quarantine(4, NOW + DAY);
	plan(false);
	ck_assert(step.candidate_due);
	owned.quarantine.critical = true;
	plan(false);
	ck_assert(!step.candidate_due);
	end();
}
END_TEST

START_TEST(an_expired_damaged_or_differently_judged_candidate_is_dropped)
{
	install();
	wait_as_candidate(6, 4);
	set_origin(&candidate, 4, NOW);
	plan(false);
	ck_assert(!step.candidate_kept);
	wait_as_candidate(6, 4);
	disk.candidate = NULL;
	plan(false);
	ck_assert(!step.candidate_kept);
	wait_as_candidate(6, 4);
	candidate.source = "kv:secret/elsewhere";
	plan(false);
	ck_assert(!step.candidate_kept);
	end();
}
END_TEST

static void
interrupt(unsigned int live)
{
	install();
	owned.intent = 6;
	disk.live = live;
	disk.intent = &intent;
	set_origin(&intent, 4, NOW + 80 * DAY);
}

START_TEST(a_swap_killed_before_the_link_moved_is_resumed)
{
	const struct version four = version_of(4);

	interrupt(5);
	plan(false);
	ck_assert_int_eq(step.interrupted, INTERRUPTED_RESUME);
	ck_assert_uint_eq(step.settled, 5);
	ck_assert(version_equal(&step.question.spared[0], &four));
	end();
}
END_TEST

START_TEST(a_swap_killed_after_the_link_moved_is_resumed_from_the_settled_generation)
{
	interrupt(6);
	plan(false);
	ck_assert_int_eq(step.interrupted, INTERRUPTED_RESUME);
	ck_assert_uint_eq(step.settled, 5);
	end();
}
END_TEST

START_TEST(a_first_installation_killed_after_the_link_moved_is_resumed_from_nothing)
{
	interrupt(6);
	owned.generation = 0;
	plan(false);
	ck_assert_int_eq(step.interrupted, INTERRUPTED_RESUME);
	ck_assert_uint_eq(step.settled, 0);
	end();
}
END_TEST

START_TEST(what_a_killed_first_installation_did_not_come_to_is_repaired)
{
	interrupt(6);
	owned.generation = 0;
	disk.drifted = true;
	plan(false);
	ck_assert(step.repair && !step.damaged);
	disk.live = 0;
	plan(false);
	ck_assert_msg(!step.repair, "nothing stands there yet");
	end();
}
END_TEST

START_TEST(a_link_that_still_points_to_a_candidate_goes_back)
{
	install();
	wait_as_candidate(6, 4);
	quarantine(4, NOW + DAY);
	disk.live = 6;
	set_origin(&disk.origin, 4, NOW + 80 * DAY);
	plan(false);
	ck_assert_int_eq(step.interrupted, INTERRUPTED_GO_BACK);
	ck_assert_uint_eq(step.settled, 5);
	ck_assert(!step.candidate_due);
	ck_assert_msg(version_is_none(&step.question.installed), "it is not what is installed");
	end();
}
END_TEST

START_TEST(a_first_installation_is_never_taken_back)
{
	interrupt(6);
	owned.generation = 0;
	quarantine(4, NOW + DAY);
	plan(false);
	ck_assert_int_eq(step.interrupted, INTERRUPTED_RESUME);
	end();
}
END_TEST

START_TEST(an_intent_whose_generation_is_damaged_is_forgotten)
{
	interrupt(5);
	disk.intent = NULL;
	plan(false);
	ck_assert_int_eq(step.interrupted, INTERRUPTED_FORGET);
	end();
}
END_TEST

START_TEST(the_pause_of_a_quarantine_doubles_up_to_a_day)
{
	const struct leaf long_life = { .not_after = 90 * DAY };
	const struct leaf short_life = { .not_after = 1800 };

	ck_assert_int_eq(plan_quarantine_pause(0, &long_life), 3600);
	ck_assert_int_eq(plan_quarantine_pause(0, &short_life), 180);
	ck_assert_int_eq(plan_quarantine_pause(3600, &long_life), 7200);
	ck_assert_int_eq(plan_quarantine_pause(64800, &long_life), 86400);
	ck_assert_int_eq(plan_quarantine_pause(86400, &long_life), 86400);
}
END_TEST

START_TEST(an_output_passes_to_the_certificate_that_names_it_now)
{
	struct manifest manifest = { .entries = &entry, .entry_count = 1 };
	struct output place = { .part = PART_CERT, .path = "/etc/ssl/site.pem" };
	struct owned unwanted = { .name = "old.example.test", .outputs = &place, .output_count = 1 };
	struct state state = { .certificates = &owned, .certificate_count = 1 };
	const char *path = NULL;

	begin();
	ck_assert_ptr_null(plan_heir(&manifest, &state, &unwanted, &path));
	entry.outputs[PART_FULLCHAIN] = "/etc/ssl/site.pem";
	ck_assert_ptr_eq(plan_heir(&manifest, &state, &unwanted, &path), &entry);
	ck_assert_str_eq(path, "/etc/ssl/site.pem");
	owned.outputs = &place;
	owned.output_count = 1;
	ck_assert_ptr_null(plan_heir(&manifest, &state, &unwanted, &path));
}
END_TEST

START_TEST(the_judging_keys_tell_every_key_that_judges)
{
	char *plain, *changed;

	begin();
	plain = plan_judging_keys(&entry);
	entry.trust_file = "/etc/ssl/roots.pem";
	changed = plan_judging_keys(&entry);
	ck_assert_str_ne(plain, changed);
	free(changed);
	entry.trust_file = NULL;
	entry.fields[PART_KEY] = "tls_key";
	changed = plan_judging_keys(&entry);
	ck_assert_str_ne(plain, changed);
	free(changed);
	entry.fields[PART_KEY] = NULL;
	entry.any_name = true;
	changed = plan_judging_keys(&entry);
	ck_assert_str_ne(plain, changed);
	free(changed);
	free(plain);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("plan");

	tcase_add_test(tests, a_certificate_never_seen_is_asked_for_without_a_known_version);
	tcase_add_test(tests, an_installed_certificate_is_asked_for_by_its_version);
	tcase_add_test(tests, a_generation_whose_state_was_lost_is_known_by_its_link);
	tcase_add_test(tests, the_link_is_believed_where_the_state_names_another_generation);
	tcase_add_test(tests, a_lost_link_is_repaired_in_place);
	tcase_add_test(tests, drift_of_owner_or_mode_is_repaired_in_place);
	tcase_add_test(tests, an_output_that_the_state_lost_is_recorded_and_nothing_is_repaired);
	tcase_add_test(tests, damaged_content_asks_for_a_new_generation);
	tcase_add_test(tests, another_source_makes_the_installed_version_unknown);
	tcase_add_test(tests, other_names_make_the_installed_version_unjudged);
	tcase_add_test(tests, a_refused_version_is_not_read_again);
	tcase_add_test(tests, a_refusal_ends_when_its_time_has_come);
	tcase_add_test(tests, a_refusal_ends_with_other_judging_keys_or_another_source_or_by_name);
	tcase_add_test(tests, a_refusal_ends_once_when_the_installed_one_becomes_critical);
	tcase_add_test(tests, a_candidate_is_tried_from_disk_and_not_read_again);
	tcase_add_test(tests, a_quarantined_candidate_waits_until_its_time);
	tcase_add_test(tests, a_name_on_the_command_line_lifts_the_quarantine);
	tcase_add_test(tests, the_quarantine_of_another_version_holds_nothing_up);
	tcase_add_test(tests, the_quarantine_ends_once_when_the_installed_one_becomes_critical);
	tcase_add_test(tests, an_expired_damaged_or_differently_judged_candidate_is_dropped);
	tcase_add_test(tests, a_swap_killed_before_the_link_moved_is_resumed);
	tcase_add_test(tests, a_swap_killed_after_the_link_moved_is_resumed_from_the_settled_generation);
	tcase_add_test(tests, a_first_installation_killed_after_the_link_moved_is_resumed_from_nothing);
	tcase_add_test(tests, what_a_killed_first_installation_did_not_come_to_is_repaired);
	tcase_add_test(tests, a_link_that_still_points_to_a_candidate_goes_back);
	tcase_add_test(tests, a_first_installation_is_never_taken_back);
	tcase_add_test(tests, an_intent_whose_generation_is_damaged_is_forgotten);
	tcase_add_test(tests, the_pause_of_a_quarantine_doubles_up_to_a_day);
	tcase_add_test(tests, an_output_passes_to_the_certificate_that_names_it_now);
	tcase_add_test(tests, the_judging_keys_tell_every_key_that_judges);
	return run_tests("plan", tests);
}
