/* SPDX-License-Identifier: ISC */
#include <check.h>

#include "manifest-services.c"
#include "support/manifest_text.h"
#include "support/runner.h"

#define LISTING(services) "[certificate a.example]\nservices = " services "\n"

static struct manifest *
read_with(const char *sections, const char *presets, struct manifest_errors *errors)
{
	struct manifest *manifest;
	char *text;

	ck_assert_int_ne(asprintf(&text, VAULT_SECTION "%s[end]\n", sections), -1);
	manifest = manifest_of_presets(text, presets, errors);
	free(text);
	return manifest;
}

START_TEST(a_service_without_keys_is_asked_of_systemctl)
{
	struct manifest *manifest = manifest_of(LISTING("web") "[service web]\n");
	const struct service *service = manifest_find_service(manifest, "web");

	ck_assert_str_eq(service->unit, "web.service");
	ck_assert_uint_eq(service->active.count, 4);
	ck_assert_str_eq(service->active.items[0], "/usr/bin/systemctl");
	ck_assert_str_eq(service->active.items[1], "is-active");
	ck_assert_str_eq(service->active.items[2], "--quiet");
	ck_assert_str_eq(service->active.items[3], "web.service");
	ck_assert_uint_eq(service->reload.count, 3);
	ck_assert_str_eq(service->reload.items[1], "reload");
	ck_assert_str_eq(service->reload.items[2], "web.service");
	ck_assert(!service->own_active && !service->own_reload);
	ck_assert_uint_eq(service->test.count, 0);
	ck_assert_uint_eq(service->active_sysv.count, 0);
	ck_assert_ptr_null(service->verify_host);
	ck_assert_int_eq(service->timeout, 30);
	manifest_free(manifest);
}
END_TEST

START_TEST(every_key_of_a_service_is_read)
{
	struct manifest *manifest = manifest_of(LISTING("web") "[service web]\nunit = web@1.service\n"
	    "active = /a 1\nactive_sysv = /as\ntest = /t\nreload = /r 2\nreload_sysv = /rs\n"
	    "verify = a.example:25 starttls=smtp sni=b.example\ntimeout = 2m\nwindow = always\n");
	const struct service *service = manifest_find_service(manifest, "web");

	ck_assert_str_eq(service->unit, "web@1.service");
	ck_assert_uint_eq(service->active.count, 2);
	ck_assert_str_eq(service->active.items[1], "1");
	ck_assert_uint_eq(service->reload.count, 2);
	ck_assert_str_eq(service->active_sysv.items[0], "/as");
	ck_assert_str_eq(service->test.items[0], "/t");
	ck_assert_str_eq(service->reload.items[1], "2");
	ck_assert_str_eq(service->reload_sysv.items[0], "/rs");
	ck_assert(service->own_active && service->own_reload);
	ck_assert_str_eq(service->verify_host, "a.example");
	ck_assert_str_eq(service->verify_sni, "b.example");
	ck_assert_int_eq(service->verify_starttls, STARTTLS_SMTP);
	ck_assert_int_eq(service->timeout, 120);
	manifest_free(manifest);
}
END_TEST

START_TEST(the_unit_is_that_of_the_systemctl_defaults)
{
	struct manifest *manifest = manifest_of(LISTING("web")
	    "[service web]\nunit = apache2.service\nreload = /r\n");
	const struct service *service = manifest_find_service(manifest, "web");

	ck_assert_str_eq(service->active.items[3], "apache2.service");
	ck_assert(!service->own_active && service->own_reload);
	manifest_free(manifest);
}
END_TEST

START_TEST(a_preset_needs_no_section)
{
	struct manifest *manifest = manifest_of(LISTING("postfix"));
	const struct service *service = manifest_find_service(manifest, "postfix");

	ck_assert_str_eq(service->reload.items[0], "/usr/sbin/postfix");
	ck_assert(service->own_reload && !service->own_active);
	ck_assert_int_eq(service->timeout, 60);
	manifest_free(manifest);
}
END_TEST

START_TEST(a_section_overrides_its_preset_key_by_key)
{
	struct manifest *manifest = manifest_of(LISTING("nginx postfix")
	    "[service nginx]\nverify = 127.0.0.1:8443\n[service postfix]\ntimeout = 5s\n");
	const struct service *nginx = manifest_find_service(manifest, "nginx");
	const struct service *postfix = manifest_find_service(manifest, "postfix");

	ck_assert_str_eq(nginx->test.items[0], "/usr/sbin/nginx");
	ck_assert_str_eq(nginx->verify_port, "8443");
	ck_assert_ptr_null(nginx->verify_sni);
	ck_assert_int_eq(postfix->timeout, 5);
	ck_assert(postfix->own_reload);
	manifest_free(manifest);
}
END_TEST

START_TEST(services_come_in_the_order_of_their_sections_then_of_their_mention)
{
	struct manifest *manifest = manifest_of(LISTING("postfix nginx b")
	    "[certificate b.example]\nservices = a nginx\n[service a]\n[service unused]\n[service b]\n");

	ck_assert_uint_eq(manifest->service_count, 4);
	ck_assert_str_eq(manifest->services[0].name, "a");
	ck_assert_str_eq(manifest->services[1].name, "b");
	ck_assert_str_eq(manifest->services[2].name, "postfix");
	ck_assert_str_eq(manifest->services[3].name, "nginx");
	ck_assert_ptr_null(manifest_find_service(manifest, "unused"));
	manifest_free(manifest);
}
END_TEST

START_TEST(a_service_that_nobody_lists_is_judged_all_the_same)
{
	manifest_free(manifest_of("[service a]\ntest = /t\n"));
	refuse("[service a]\ntest = t\n", 4, "not an absolute path");
}
END_TEST

START_TEST(a_service_that_is_neither_section_nor_preset_is_an_error)
{
	refuse(LISTING("ngnix"), 4, "services: ngnix is neither a [service ngnix]");
	refuse(LISTING("nginx") "[certificate b.example]\nservices = x nginx\n", 6, "x is neither");
}
END_TEST

START_TEST(a_section_name_is_one_that_can_be_listed)
{
	refuse("[service a/b]\n", 3, "its NAME is letters");
	refuse("[service -a]\n", 3, "its NAME is letters");
	manifest_free(manifest_of("[service postgresql@15-main]\n"));
}
END_TEST

START_TEST(absent_presets_are_an_error_only_if_a_service_needs_them)
{
	struct manifest_errors errors = { 0 };
	struct manifest *manifest = read_with(LISTING("a") "[service a]\n", NULL, &errors);

	ck_assert_ptr_nonnull(manifest);
	manifest_free(manifest);
	ck_assert_ptr_null(read_with(LISTING("nginx"), NULL, &errors));
	ck_assert_uint_eq(errors.count, 1);
	find_error(&errors, 4, "services.ini, which does not exist");
	manifest_errors_clear(&errors);
}
END_TEST

START_TEST(presets_are_not_read_when_no_service_is_listed)
{
	struct manifest_errors errors = { 0 };
	struct manifest *manifest = read_with("[certificate a.example]\n", "broken", &errors);

	ck_assert_ptr_nonnull(manifest);
	manifest_free(manifest);
}
END_TEST

START_TEST(errors_of_the_presets_name_their_file_and_line)
{
	struct manifest_errors errors = { 0 };

	ck_assert_ptr_null(read_with(LISTING("nginx"),
	    "[service nginx]\ntest = nginx\nx = 1\n[vault]\n[end]\n", &errors));
	ck_assert_uint_eq(errors.count, 3);
	find_error(&errors, 0, ": line 2: test: nginx is not an absolute path");
	find_error(&errors, 0, ": line 3: x: is no key");
	find_error(&errors, 0, ": line 4: [vault] among the presets");
	manifest_errors_clear(&errors);
}
END_TEST

START_TEST(presets_cut_short_are_an_error)
{
	struct manifest_errors errors = { 0 };

	ck_assert_ptr_null(read_with(LISTING("nginx"), "[service nginx]\ntest = /t\n", &errors));
	find_error(&errors, 0, "no [end]");
	manifest_errors_clear(&errors);
}
END_TEST

START_TEST(presets_that_cannot_be_read_are_one_error)
{
	struct manifest_errors errors = { 0 };
	char *file = text_file(VAULT_SECTION LISTING("nginx") "[end]\n");

	ck_assert_ptr_null(manifest_read(file, "/tmp", &errors));
	ck_assert_uint_eq(errors.count, 1);
	find_error(&errors, 0, "/tmp");
	manifest_errors_clear(&errors);
	text_file_remove(file);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("manifest-services");

	tcase_add_test(tests, a_service_without_keys_is_asked_of_systemctl);
	tcase_add_test(tests, every_key_of_a_service_is_read);
	tcase_add_test(tests, the_unit_is_that_of_the_systemctl_defaults);
	tcase_add_test(tests, a_preset_needs_no_section);
	tcase_add_test(tests, a_section_overrides_its_preset_key_by_key);
	tcase_add_test(tests, services_come_in_the_order_of_their_sections_then_of_their_mention);
	tcase_add_test(tests, a_service_that_nobody_lists_is_judged_all_the_same);
	tcase_add_test(tests, a_service_that_is_neither_section_nor_preset_is_an_error);
	tcase_add_test(tests, a_section_name_is_one_that_can_be_listed);
	tcase_add_test(tests, absent_presets_are_an_error_only_if_a_service_needs_them);
	tcase_add_test(tests, presets_are_not_read_when_no_service_is_listed);
	tcase_add_test(tests, errors_of_the_presets_name_their_file_and_line);
	tcase_add_test(tests, presets_cut_short_are_an_error);
	tcase_add_test(tests, presets_that_cannot_be_read_are_one_error);
	return run_tests("manifest-services", tests);
}
