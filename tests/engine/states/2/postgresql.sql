CREATE TABLE public.customers (
    customer_id integer,
    email character varying(100),
    first_name character varying(100),
    opted_out boolean,
    plan character varying(20)
);
CREATE TABLE public.dailystory_customers_changes (
    plan_id text NOT NULL,
    sequence bigint NOT NULL,
    customer_id integer NOT NULL,
    operation text,
    partition_value text,
    identity_email text,
    identity_mobile text,
    is_new boolean,
    replaces boolean,
    identity_changed boolean,
    rekeyed boolean,
    reactivates boolean,
    dsid text,
    priority bigint,
    waits_for bigint,
    field_email text,
    "field_firstName" text,
    "field_optOutEmail" boolean,
    custom_plan text,
    differs_field_email boolean,
    "differs_field_firstName" boolean,
    "differs_field_optOutEmail" boolean,
    differs_custom_plan boolean,
    outcome text,
    reason text,
    message text,
    attempts bigint,
    answered_at timestamp without time zone
);
CREATE TABLE public.dailystory_customers_contact_map (
    customer_id integer NOT NULL,
    dsid text NOT NULL,
    first_synced_at timestamp without time zone,
    last_synced_at timestamp without time zone,
    deactivated_at timestamp without time zone,
    deleted_at timestamp without time zone
);
CREATE TABLE public.dailystory_customers_intents (
    customer_id integer NOT NULL,
    email_as_sent text,
    mobile_as_sent text,
    dsid text,
    plan_id text,
    sequence bigint,
    sent_at timestamp without time zone
);
CREATE TABLE public.dailystory_customers_rejections (
    customer_id integer,
    reason text,
    message text,
    fingerprint text,
    source_rows bigint,
    attempts bigint,
    first_seen_at timestamp without time zone,
    last_seen_at timestamp without time zone
);
CREATE TABLE public.dailystory_customers_row_hashes (
    customer_id integer NOT NULL,
    row_hash bigint
);
CREATE TABLE public.dailystory_customers_snapshot (
    customer_id integer NOT NULL,
    field_email text,
    "field_firstName" text,
    "field_optOutEmail" boolean,
    custom_plan text,
    identity_email text,
    identity_mobile text,
    partition_value text,
    resend_all boolean,
    absent_since timestamp without time zone,
    absent_action text
);
CREATE TABLE public.dailystory_meta (
    name text NOT NULL,
    value text,
    holder text,
    fence bigint,
    heartbeat_at timestamp without time zone
);
CREATE TABLE public.dailystory_plans (
    plan_id text NOT NULL,
    sync_name text,
    partition_value text,
    run_id text,
    scope text,
    options text,
    mapping_version text,
    destination text,
    status text,
    guards text,
    changes_by_field text,
    rejections_by_reason text,
    rows_read bigint,
    rows_unchanged bigint,
    rows_to_create bigint,
    rows_to_update bigint,
    rows_to_delete bigint,
    rows_rejected bigint,
    rows_held bigint,
    diff_seconds double precision,
    created_at timestamp without time zone,
    sent_at timestamp without time zone,
    finished_at timestamp without time zone,
    left_priority bigint,
    left_sequence bigint
);
CREATE TABLE public.dailystory_recent_changes (
    plan_id text NOT NULL,
    sequence bigint NOT NULL,
    number integer NOT NULL,
    operation text,
    partition_value text,
    identity_email text,
    identity_mobile text,
    is_new boolean,
    replaces boolean,
    identity_changed boolean,
    rekeyed boolean,
    reactivates boolean,
    dsid text,
    priority bigint,
    waits_for bigint,
    field_email text,
    "field_firstName" text,
    differs_field_email boolean,
    "differs_field_firstName" boolean,
    outcome text,
    reason text,
    message text,
    attempts bigint,
    answered_at timestamp without time zone
);
CREATE TABLE public.dailystory_recent_contact_map (
    number integer NOT NULL,
    dsid text NOT NULL,
    first_synced_at timestamp without time zone,
    last_synced_at timestamp without time zone,
    deactivated_at timestamp without time zone,
    deleted_at timestamp without time zone
);
CREATE TABLE public.dailystory_recent_intents (
    number integer NOT NULL,
    email_as_sent text,
    mobile_as_sent text,
    dsid text,
    plan_id text,
    sequence bigint,
    sent_at timestamp without time zone
);
CREATE TABLE public.dailystory_recent_rejections (
    number integer,
    reason text,
    message text,
    fingerprint text,
    source_rows bigint,
    attempts bigint,
    first_seen_at timestamp without time zone,
    last_seen_at timestamp without time zone
);
CREATE TABLE public.dailystory_recent_row_hashes (
    number integer NOT NULL,
    row_hash bigint
);
CREATE TABLE public.dailystory_recent_snapshot (
    number integer NOT NULL,
    field_email text,
    "field_firstName" text,
    identity_email text,
    identity_mobile text,
    partition_value text,
    resend_all boolean,
    absent_since timestamp without time zone,
    absent_action text
);
CREATE TABLE public.dailystory_regional_changes (
    plan_id text NOT NULL,
    sequence bigint NOT NULL,
    customer_id integer NOT NULL,
    operation text,
    partition_value text,
    identity_email text,
    identity_mobile text,
    is_new boolean,
    replaces boolean,
    identity_changed boolean,
    rekeyed boolean,
    reactivates boolean,
    dsid text,
    priority bigint,
    waits_for bigint,
    field_email text,
    field_city text,
    differs_field_email boolean,
    differs_field_city boolean,
    outcome text,
    reason text,
    message text,
    attempts bigint,
    answered_at timestamp without time zone
);
CREATE TABLE public.dailystory_regional_contact_map (
    customer_id integer NOT NULL,
    dsid text NOT NULL,
    first_synced_at timestamp without time zone,
    last_synced_at timestamp without time zone,
    deactivated_at timestamp without time zone,
    deleted_at timestamp without time zone
);
CREATE TABLE public.dailystory_regional_intents (
    customer_id integer NOT NULL,
    email_as_sent text,
    mobile_as_sent text,
    dsid text,
    plan_id text,
    sequence bigint,
    sent_at timestamp without time zone
);
CREATE TABLE public.dailystory_regional_rejections (
    customer_id integer,
    reason text,
    message text,
    fingerprint text,
    source_rows bigint,
    attempts bigint,
    first_seen_at timestamp without time zone,
    last_seen_at timestamp without time zone
);
CREATE TABLE public.dailystory_regional_row_hashes (
    customer_id integer NOT NULL,
    row_hash bigint
);
CREATE TABLE public.dailystory_regional_snapshot (
    customer_id integer NOT NULL,
    field_email text,
    field_city text,
    identity_email text,
    identity_mobile text,
    partition_value text,
    resend_all boolean,
    absent_since timestamp without time zone,
    absent_action text
);
CREATE TABLE public.dailystory_runs (
    run_id text,
    plan_id text,
    sync_name text,
    partition_value text,
    outcome text,
    started_at timestamp without time zone,
    finished_at timestamp without time zone,
    rows_created bigint,
    rows_updated bigint,
    rows_deleted bigint,
    rows_mapped bigint,
    rows_refused bigint,
    rows_failed bigint,
    rows_in_doubt bigint,
    rows_conflicted bigint,
    api_requests bigint,
    api_retries bigint,
    api_throttled bigint,
    send_seconds double precision
);
CREATE TABLE public.recent_customers (
    country character varying(2),
    number integer,
    email character varying(100),
    first_name character varying(100),
    updated_at timestamp without time zone
);
CREATE TABLE public.regional_customers (
    customer_id integer,
    email character varying(100),
    city character varying(100),
    region character varying(20)
);
INSERT INTO public.customers VALUES (1, 'customer1@example.com', 'Name 1', false, 'free');
INSERT INTO public.customers VALUES (2, 'customer2@example.com', 'Name 2', true, 'free');
INSERT INTO public.customers VALUES (3, 'not an address', 'Name 3', false, 'free');
INSERT INTO public.customers VALUES (4, 'customer4@example.com', 'Name 4', false, 'free');
INSERT INTO public.customers VALUES (7, 'customer7@example.com', 'Name 7', false, 'free');
INSERT INTO public.customers VALUES (8, 'customer8@example.com', 'Name 8', false, 'free');
INSERT INTO public.customers VALUES (9, 'customer9@example.com', 'Name 9', false, 'free');
INSERT INTO public.customers VALUES (10, 'customer10@example.com', 'Name 10', false, 'free');
INSERT INTO public.customers VALUES (11, 'customer11@example.com', 'Name 11', false, 'free');
INSERT INTO public.customers VALUES (12, 'customer12@example.com', 'Name 12', false, 'free');
INSERT INTO public.customers VALUES (13, 'customer13@example.com', 'Name 13', false, 'free');
INSERT INTO public.customers VALUES (14, 'customer14@example.com', 'Name 14', false, 'free');
INSERT INTO public.customers VALUES (15, 'customer15@example.com', 'Name 15', false, 'free');
INSERT INTO public.customers VALUES (16, 'customer16@example.com', 'Name 16', false, 'free');
INSERT INTO public.customers VALUES (17, 'customer17@example.com', 'Name 17', false, 'free');
INSERT INTO public.customers VALUES (18, 'customer18@example.com', 'Name 18', false, 'free');
INSERT INTO public.customers VALUES (19, 'customer19@example.com', 'Name 19', false, 'free');
INSERT INTO public.customers VALUES (20, 'customer20@example.com', 'Name 20', false, 'free');
INSERT INTO public.customers VALUES (21, 'customer21@example.com', 'Name 21', false, 'free');
INSERT INTO public.customers VALUES (22, 'customer22@example.com', 'Name 22', false, 'free');
INSERT INTO public.customers VALUES (23, 'customer23@example.com', 'Name 23', false, 'free');
INSERT INTO public.customers VALUES (24, 'customer24@example.com', 'Name 24', false, 'free');
INSERT INTO public.customers VALUES (25, 'customer25@example.com', 'Name 25', false, 'free');
INSERT INTO public.customers VALUES (26, 'customer26@example.com', 'Name 26', false, 'free');
INSERT INTO public.customers VALUES (27, 'customer27@example.com', 'Name 27', false, 'free');
INSERT INTO public.customers VALUES (28, 'customer28@example.com', 'Name 28', false, 'free');
INSERT INTO public.customers VALUES (29, 'customer29@example.com', 'Name 29', false, 'free');
INSERT INTO public.customers VALUES (30, 'customer30@example.com', 'Name 30', false, 'free');
INSERT INTO public.customers VALUES (6, 'customer6@example.com', 'Changed', false, 'free');
INSERT INTO public.customers VALUES (31, 'customer31@example.com', 'Name 31', false, 'free');
INSERT INTO public.customers VALUES (32, 'customer32@example.com', 'Name 32', false, 'free');
INSERT INTO public.customers VALUES (33, 'customer33@example.com', 'Name 33', false, 'free');
INSERT INTO public.customers VALUES (34, 'customer34@example.com', 'Name 34', false, 'free');
INSERT INTO public.customers VALUES (35, 'customer35@example.com', 'Name 35', false, 'free');
INSERT INTO public.customers VALUES (36, 'customer36@example.com', 'Name 36', false, 'free');
INSERT INTO public.customers VALUES (37, 'customer37@example.com', 'Name 37', false, 'free');
INSERT INTO public.customers VALUES (38, 'customer38@example.com', 'Name 38', false, 'free');
INSERT INTO public.customers VALUES (39, 'customer39@example.com', 'Name 39', false, 'free');
INSERT INTO public.customers VALUES (40, 'customer40@example.com', 'Name 40', false, 'free');
INSERT INTO public.customers VALUES (41, 'customer41@example.com', 'Name 41', false, 'free');
INSERT INTO public.customers VALUES (42, 'customer42@example.com', 'Name 42', false, 'free');
INSERT INTO public.customers VALUES (43, 'customer43@example.com', 'Name 43', false, 'free');
INSERT INTO public.customers VALUES (44, 'customer44@example.com', 'Name 44', false, 'free');
INSERT INTO public.customers VALUES (45, 'customer45@example.com', 'Name 45', false, 'free');
INSERT INTO public.customers VALUES (46, 'customer46@example.com', 'Name 46', false, 'free');
INSERT INTO public.customers VALUES (47, 'customer47@example.com', 'Name 47', false, 'free');
INSERT INTO public.customers VALUES (48, 'customer48@example.com', 'Name 48', false, 'free');
INSERT INTO public.customers VALUES (49, 'customer49@example.com', 'Name 49', false, 'free');
INSERT INTO public.customers VALUES (50, 'customer50@example.com', 'Name 50', false, 'free');
INSERT INTO public.customers VALUES (51, 'customer51@example.com', 'Name 51', false, 'free');
INSERT INTO public.customers VALUES (52, 'customer52@example.com', 'Name 52', false, 'free');
INSERT INTO public.customers VALUES (53, 'customer53@example.com', 'Name 53', false, 'free');
INSERT INTO public.customers VALUES (54, 'customer54@example.com', 'Name 54', false, 'free');
INSERT INTO public.customers VALUES (55, 'customer55@example.com', 'Name 55', false, 'free');
INSERT INTO public.customers VALUES (56, 'customer56@example.com', 'Name 56', false, 'free');
INSERT INTO public.customers VALUES (57, 'customer57@example.com', 'Name 57', false, 'free');
INSERT INTO public.customers VALUES (58, 'customer58@example.com', 'Name 58', false, 'free');
INSERT INTO public.customers VALUES (59, 'customer59@example.com', 'Name 59', false, 'free');
INSERT INTO public.customers VALUES (60, 'customer60@example.com', 'Name 60', false, 'free');
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202850318372-5784', 1, 1, 'create', NULL, 'customer1@example.com', NULL, true, true, false, NULL, false, 'e9dd725eb3e510ed4e06d1b746dd6db3', 1, NULL, 'customer1@example.com', 'Name 1', false, 'free', true, true, true, true, 'created', NULL, NULL, 1, '2026-11-28 20:28:51.862911');
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202850318372-5784', 2, 2, 'create', NULL, 'customer2@example.com', NULL, true, true, false, NULL, false, 'ccad1287779c8a70481afdd45c2c2c4a', 0, NULL, 'customer2@example.com', 'Name 2', true, 'free', true, true, true, true, 'created', NULL, NULL, 1, '2026-11-28 20:28:51.777351');
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202850318372-5784', 4, 4, 'create', NULL, 'customer4@example.com', NULL, true, true, false, NULL, false, NULL, 1, NULL, 'customer4@example.com', 'Name 4', false, 'free', true, true, true, true, 'rejected', 'refused', 'DailyStory refused the request (400): An error has occurred', 1, '2026-11-28 20:28:51.881486');
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202850318372-5784', 5, 5, 'create', NULL, 'customer5@example.com', NULL, true, true, false, NULL, false, '1388aaead1bb7778386e57e2dd837cd3', 1, NULL, 'customer5@example.com', 'Name 5', false, 'free', true, true, true, true, 'created', NULL, NULL, 1, '2026-11-28 20:28:51.897559');
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202850318372-5784', 6, 6, 'create', NULL, 'customer6@example.com', NULL, true, true, false, NULL, false, '83fbdcb290253cef43e76b19995a515d', 1, NULL, 'customer6@example.com', 'Name 6', false, 'free', true, true, true, true, 'created', NULL, NULL, 1, '2026-11-28 20:28:51.908371');
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202850318372-5784', 7, 7, 'create', NULL, 'customer7@example.com', NULL, true, true, false, NULL, false, '56fe4cf1aa399f361a4b0521fc861b2b', 1, NULL, 'customer7@example.com', 'Name 7', false, 'free', true, true, true, true, 'created', NULL, NULL, 1, '2026-11-28 20:28:51.91956');
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202850318372-5784', 8, 8, 'create', NULL, 'customer8@example.com', NULL, true, true, false, NULL, false, 'c16f625624d30c95b537499dbfe97639', 1, NULL, 'customer8@example.com', 'Name 8', false, 'free', true, true, true, true, 'created', NULL, NULL, 1, '2026-11-28 20:28:51.933426');
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202850318372-5784', 9, 9, 'create', NULL, 'customer9@example.com', NULL, true, true, false, NULL, false, '842e7216473ec333e7d4c0d08c6995c8', 1, NULL, 'customer9@example.com', 'Name 9', false, 'free', true, true, true, true, 'created', NULL, NULL, 1, '2026-11-28 20:28:51.946619');
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202850318372-5784', 10, 10, 'create', NULL, 'customer10@example.com', NULL, true, true, false, NULL, false, '9ee20afb20d26ade490ca702e5b321f4', 1, NULL, 'customer10@example.com', 'Name 10', false, 'free', true, true, true, true, 'created', NULL, NULL, 1, '2026-11-28 20:28:51.950877');
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202850318372-5784', 11, 11, 'create', NULL, 'customer11@example.com', NULL, true, true, false, NULL, false, '1871dbb1d1daee3ee224a46220308ba2', 1, NULL, 'customer11@example.com', 'Name 11', false, 'free', true, true, true, true, 'created', NULL, NULL, 1, '2026-11-28 20:28:51.959578');
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202850318372-5784', 12, 12, 'create', NULL, 'customer12@example.com', NULL, true, true, false, NULL, false, 'be7b0ed6ae3d817b5db5dc88322506df', 1, NULL, 'customer12@example.com', 'Name 12', false, 'free', true, true, true, true, 'created', NULL, NULL, 1, '2026-11-28 20:28:51.978497');
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202850318372-5784', 13, 13, 'create', NULL, 'customer13@example.com', NULL, true, true, false, NULL, false, 'a61a33748251272d9a9d198f8f135baa', 1, NULL, 'customer13@example.com', 'Name 13', false, 'free', true, true, true, true, 'created', NULL, NULL, 1, '2026-11-28 20:28:51.993605');
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202850318372-5784', 14, 14, 'create', NULL, 'customer14@example.com', NULL, true, true, false, NULL, false, 'a9cafe8dd81cf7cb4a4fcbf9cc3a930c', 1, NULL, 'customer14@example.com', 'Name 14', false, 'free', true, true, true, true, 'created', NULL, NULL, 1, '2026-11-28 20:28:51.99599');
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202850318372-5784', 15, 15, 'create', NULL, 'customer15@example.com', NULL, true, true, false, NULL, false, 'd8d22fdf68950e8f56c1bc6069e799ca', 1, NULL, 'customer15@example.com', 'Name 15', false, 'free', true, true, true, true, 'created', NULL, NULL, 1, '2026-11-28 20:28:52.001762');
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202850318372-5784', 16, 16, 'create', NULL, 'customer16@example.com', NULL, true, true, false, NULL, false, 'fb7ef479bcebf494776d726550bbf34d', 1, NULL, 'customer16@example.com', 'Name 16', false, 'free', true, true, true, true, 'created', NULL, NULL, 1, '2026-11-28 20:28:52.005407');
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202850318372-5784', 17, 17, 'create', NULL, 'customer17@example.com', NULL, true, true, false, NULL, false, 'f154deff32ed85e08772db75828f0388', 1, NULL, 'customer17@example.com', 'Name 17', false, 'free', true, true, true, true, 'created', NULL, NULL, 1, '2026-11-28 20:28:52.008569');
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202850318372-5784', 18, 18, 'create', NULL, 'customer18@example.com', NULL, true, true, false, NULL, false, '1595a652f641835915b6ce38a6da195e', 1, NULL, 'customer18@example.com', 'Name 18', false, 'free', true, true, true, true, 'created', NULL, NULL, 1, '2026-11-28 20:28:52.021399');
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202850318372-5784', 19, 19, 'create', NULL, 'customer19@example.com', NULL, true, true, false, NULL, false, '8c26457a4fa548c1621fad34123c8821', 1, NULL, 'customer19@example.com', 'Name 19', false, 'free', true, true, true, true, 'created', NULL, NULL, 1, '2026-11-28 20:28:52.030564');
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202850318372-5784', 20, 20, 'create', NULL, 'customer20@example.com', NULL, true, true, false, NULL, false, 'fdc1c870ccd6a228ba7254ba1f875dc7', 1, NULL, 'customer20@example.com', 'Name 20', false, 'free', true, true, true, true, 'created', NULL, NULL, 1, '2026-11-28 20:28:52.03991');
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202850318372-5784', 21, 21, 'create', NULL, 'customer21@example.com', NULL, true, true, false, NULL, false, 'b48bb7724109f4f9434ad6be15ea2701', 1, NULL, 'customer21@example.com', 'Name 21', false, 'free', true, true, true, true, 'created', NULL, NULL, 1, '2026-11-28 20:28:52.049359');
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202850318372-5784', 22, 22, 'create', NULL, 'customer22@example.com', NULL, true, true, false, NULL, false, '8eeda594a73af908a354dae6164b7724', 1, NULL, 'customer22@example.com', 'Name 22', false, 'free', true, true, true, true, 'created', NULL, NULL, 1, '2026-11-28 20:28:52.059376');
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202850318372-5784', 23, 23, 'create', NULL, 'customer23@example.com', NULL, true, true, false, NULL, false, 'f6430fb7b1c0e987a872cc33119eae3b', 1, NULL, 'customer23@example.com', 'Name 23', false, 'free', true, true, true, true, 'created', NULL, NULL, 1, '2026-11-28 20:28:52.066716');
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202850318372-5784', 24, 24, 'create', NULL, 'customer24@example.com', NULL, true, true, false, NULL, false, '0f6d99f390d972bf6be0dfedc6495579', 1, NULL, 'customer24@example.com', 'Name 24', false, 'free', true, true, true, true, 'created', NULL, NULL, 1, '2026-11-28 20:28:52.07142');
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202850318372-5784', 25, 25, 'create', NULL, 'customer25@example.com', NULL, true, true, false, NULL, false, 'a5e9365b1d02edf9c7d23f28f4fa9b48', 1, NULL, 'customer25@example.com', 'Name 25', false, 'free', true, true, true, true, 'created', NULL, NULL, 1, '2026-11-28 20:28:52.087381');
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202850318372-5784', 26, 26, 'create', NULL, 'customer26@example.com', NULL, true, true, false, NULL, false, '0899a3fb6fda7ca69d1e81ed7e9ba11c', 1, NULL, 'customer26@example.com', 'Name 26', false, 'free', true, true, true, true, 'created', NULL, NULL, 1, '2026-11-28 20:28:52.089506');
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202850318372-5784', 27, 27, 'create', NULL, 'customer27@example.com', NULL, true, true, false, NULL, false, 'ab1cfaa2b060b2320c3fa2ae39290555', 1, NULL, 'customer27@example.com', 'Name 27', false, 'free', true, true, true, true, 'created', NULL, NULL, 1, '2026-11-28 20:28:52.102451');
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202850318372-5784', 28, 28, 'create', NULL, 'customer28@example.com', NULL, true, true, false, NULL, false, '90281f8f7cd86f7e85431535d8260448', 1, NULL, 'customer28@example.com', 'Name 28', false, 'free', true, true, true, true, 'created', NULL, NULL, 1, '2026-11-28 20:28:52.121573');
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202850318372-5784', 29, 29, 'create', NULL, 'customer29@example.com', NULL, true, true, false, NULL, false, '239bb12388fe29f981e724ef2e0d223a', 1, NULL, 'customer29@example.com', 'Name 29', false, 'free', true, true, true, true, 'created', NULL, NULL, 1, '2026-11-28 20:28:52.12944');
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202850318372-5784', 30, 30, 'create', NULL, 'customer30@example.com', NULL, true, true, false, NULL, false, '13a54874c4129ef4a1bfc4eba230b22a', 1, NULL, 'customer30@example.com', 'Name 30', false, 'free', true, true, true, true, 'created', NULL, NULL, 1, '2026-11-28 20:28:52.141838');
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202853069348-3ded', 3, 6, 'update', NULL, 'customer6@example.com', NULL, false, false, false, NULL, false, '83fbdcb290253cef43e76b19995a515d', 1, NULL, 'customer6@example.com', 'Changed', false, 'free', false, true, false, false, 'updated', NULL, NULL, 1, '2026-11-28 20:28:53.957298');
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202853069348-3ded', 4, 5, 'delete', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '1388aaead1bb7778386e57e2dd837cd3', 1000000, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'deleted', NULL, NULL, 1, '2026-11-28 20:28:54.225065');
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202912902795-21b2', 3, 31, 'create', NULL, 'customer31@example.com', NULL, true, true, false, NULL, false, NULL, 1, NULL, 'customer31@example.com', 'Name 31', false, 'free', true, true, true, true, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202912902795-21b2', 4, 32, 'create', NULL, 'customer32@example.com', NULL, true, true, false, NULL, false, NULL, 1, NULL, 'customer32@example.com', 'Name 32', false, 'free', true, true, true, true, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202912902795-21b2', 5, 33, 'create', NULL, 'customer33@example.com', NULL, true, true, false, NULL, false, NULL, 1, NULL, 'customer33@example.com', 'Name 33', false, 'free', true, true, true, true, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202912902795-21b2', 6, 34, 'create', NULL, 'customer34@example.com', NULL, true, true, false, NULL, false, NULL, 1, NULL, 'customer34@example.com', 'Name 34', false, 'free', true, true, true, true, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202912902795-21b2', 7, 35, 'create', NULL, 'customer35@example.com', NULL, true, true, false, NULL, false, NULL, 1, NULL, 'customer35@example.com', 'Name 35', false, 'free', true, true, true, true, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202912902795-21b2', 8, 36, 'create', NULL, 'customer36@example.com', NULL, true, true, false, NULL, false, NULL, 1, NULL, 'customer36@example.com', 'Name 36', false, 'free', true, true, true, true, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202912902795-21b2', 9, 37, 'create', NULL, 'customer37@example.com', NULL, true, true, false, NULL, false, NULL, 1, NULL, 'customer37@example.com', 'Name 37', false, 'free', true, true, true, true, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202912902795-21b2', 10, 38, 'create', NULL, 'customer38@example.com', NULL, true, true, false, NULL, false, NULL, 1, NULL, 'customer38@example.com', 'Name 38', false, 'free', true, true, true, true, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202912902795-21b2', 11, 39, 'create', NULL, 'customer39@example.com', NULL, true, true, false, NULL, false, NULL, 1, NULL, 'customer39@example.com', 'Name 39', false, 'free', true, true, true, true, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202912902795-21b2', 12, 40, 'create', NULL, 'customer40@example.com', NULL, true, true, false, NULL, false, NULL, 1, NULL, 'customer40@example.com', 'Name 40', false, 'free', true, true, true, true, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202912902795-21b2', 13, 41, 'create', NULL, 'customer41@example.com', NULL, true, true, false, NULL, false, NULL, 1, NULL, 'customer41@example.com', 'Name 41', false, 'free', true, true, true, true, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202912902795-21b2', 14, 42, 'create', NULL, 'customer42@example.com', NULL, true, true, false, NULL, false, NULL, 1, NULL, 'customer42@example.com', 'Name 42', false, 'free', true, true, true, true, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202912902795-21b2', 15, 43, 'create', NULL, 'customer43@example.com', NULL, true, true, false, NULL, false, NULL, 1, NULL, 'customer43@example.com', 'Name 43', false, 'free', true, true, true, true, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202912902795-21b2', 16, 44, 'create', NULL, 'customer44@example.com', NULL, true, true, false, NULL, false, NULL, 1, NULL, 'customer44@example.com', 'Name 44', false, 'free', true, true, true, true, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202912902795-21b2', 17, 45, 'create', NULL, 'customer45@example.com', NULL, true, true, false, NULL, false, NULL, 1, NULL, 'customer45@example.com', 'Name 45', false, 'free', true, true, true, true, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202912902795-21b2', 18, 46, 'create', NULL, 'customer46@example.com', NULL, true, true, false, NULL, false, NULL, 1, NULL, 'customer46@example.com', 'Name 46', false, 'free', true, true, true, true, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202912902795-21b2', 19, 47, 'create', NULL, 'customer47@example.com', NULL, true, true, false, NULL, false, NULL, 1, NULL, 'customer47@example.com', 'Name 47', false, 'free', true, true, true, true, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202912902795-21b2', 20, 48, 'create', NULL, 'customer48@example.com', NULL, true, true, false, NULL, false, NULL, 1, NULL, 'customer48@example.com', 'Name 48', false, 'free', true, true, true, true, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202912902795-21b2', 21, 49, 'create', NULL, 'customer49@example.com', NULL, true, true, false, NULL, false, NULL, 1, NULL, 'customer49@example.com', 'Name 49', false, 'free', true, true, true, true, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202912902795-21b2', 22, 50, 'create', NULL, 'customer50@example.com', NULL, true, true, false, NULL, false, NULL, 1, NULL, 'customer50@example.com', 'Name 50', false, 'free', true, true, true, true, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202912902795-21b2', 23, 51, 'create', NULL, 'customer51@example.com', NULL, true, true, false, NULL, false, NULL, 1, NULL, 'customer51@example.com', 'Name 51', false, 'free', true, true, true, true, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202912902795-21b2', 24, 52, 'create', NULL, 'customer52@example.com', NULL, true, true, false, NULL, false, NULL, 1, NULL, 'customer52@example.com', 'Name 52', false, 'free', true, true, true, true, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202912902795-21b2', 25, 53, 'create', NULL, 'customer53@example.com', NULL, true, true, false, NULL, false, NULL, 1, NULL, 'customer53@example.com', 'Name 53', false, 'free', true, true, true, true, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202912902795-21b2', 26, 54, 'create', NULL, 'customer54@example.com', NULL, true, true, false, NULL, false, NULL, 1, NULL, 'customer54@example.com', 'Name 54', false, 'free', true, true, true, true, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202912902795-21b2', 27, 55, 'create', NULL, 'customer55@example.com', NULL, true, true, false, NULL, false, NULL, 1, NULL, 'customer55@example.com', 'Name 55', false, 'free', true, true, true, true, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202912902795-21b2', 28, 56, 'create', NULL, 'customer56@example.com', NULL, true, true, false, NULL, false, NULL, 1, NULL, 'customer56@example.com', 'Name 56', false, 'free', true, true, true, true, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202912902795-21b2', 29, 57, 'create', NULL, 'customer57@example.com', NULL, true, true, false, NULL, false, NULL, 1, NULL, 'customer57@example.com', 'Name 57', false, 'free', true, true, true, true, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202912902795-21b2', 30, 58, 'create', NULL, 'customer58@example.com', NULL, true, true, false, NULL, false, NULL, 1, NULL, 'customer58@example.com', 'Name 58', false, 'free', true, true, true, true, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202912902795-21b2', 31, 59, 'create', NULL, 'customer59@example.com', NULL, true, true, false, NULL, false, NULL, 1, NULL, 'customer59@example.com', 'Name 59', false, 'free', true, true, true, true, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.dailystory_customers_changes VALUES ('20261128T202912902795-21b2', 32, 60, 'create', NULL, 'customer60@example.com', NULL, true, true, false, NULL, false, NULL, 1, NULL, 'customer60@example.com', 'Name 60', false, 'free', true, true, true, true, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.dailystory_customers_contact_map VALUES (1, 'e9dd725eb3e510ed4e06d1b746dd6db3', '2026-11-28 20:28:51.862911', '2026-11-28 20:28:51.862911', NULL, NULL);
INSERT INTO public.dailystory_customers_contact_map VALUES (2, 'ccad1287779c8a70481afdd45c2c2c4a', '2026-11-28 20:28:51.777351', '2026-11-28 20:28:51.777351', NULL, NULL);
INSERT INTO public.dailystory_customers_contact_map VALUES (7, '56fe4cf1aa399f361a4b0521fc861b2b', '2026-11-28 20:28:51.91956', '2026-11-28 20:28:51.91956', NULL, NULL);
INSERT INTO public.dailystory_customers_contact_map VALUES (8, 'c16f625624d30c95b537499dbfe97639', '2026-11-28 20:28:51.933426', '2026-11-28 20:28:51.933426', NULL, NULL);
INSERT INTO public.dailystory_customers_contact_map VALUES (9, '842e7216473ec333e7d4c0d08c6995c8', '2026-11-28 20:28:51.946619', '2026-11-28 20:28:51.946619', NULL, NULL);
INSERT INTO public.dailystory_customers_contact_map VALUES (10, '9ee20afb20d26ade490ca702e5b321f4', '2026-11-28 20:28:51.950877', '2026-11-28 20:28:51.950877', NULL, NULL);
INSERT INTO public.dailystory_customers_contact_map VALUES (11, '1871dbb1d1daee3ee224a46220308ba2', '2026-11-28 20:28:51.959578', '2026-11-28 20:28:51.959578', NULL, NULL);
INSERT INTO public.dailystory_customers_contact_map VALUES (12, 'be7b0ed6ae3d817b5db5dc88322506df', '2026-11-28 20:28:51.978497', '2026-11-28 20:28:51.978497', NULL, NULL);
INSERT INTO public.dailystory_customers_contact_map VALUES (13, 'a61a33748251272d9a9d198f8f135baa', '2026-11-28 20:28:51.993605', '2026-11-28 20:28:51.993605', NULL, NULL);
INSERT INTO public.dailystory_customers_contact_map VALUES (14, 'a9cafe8dd81cf7cb4a4fcbf9cc3a930c', '2026-11-28 20:28:51.99599', '2026-11-28 20:28:51.99599', NULL, NULL);
INSERT INTO public.dailystory_customers_contact_map VALUES (15, 'd8d22fdf68950e8f56c1bc6069e799ca', '2026-11-28 20:28:52.001762', '2026-11-28 20:28:52.001762', NULL, NULL);
INSERT INTO public.dailystory_customers_contact_map VALUES (16, 'fb7ef479bcebf494776d726550bbf34d', '2026-11-28 20:28:52.005407', '2026-11-28 20:28:52.005407', NULL, NULL);
INSERT INTO public.dailystory_customers_contact_map VALUES (17, 'f154deff32ed85e08772db75828f0388', '2026-11-28 20:28:52.008569', '2026-11-28 20:28:52.008569', NULL, NULL);
INSERT INTO public.dailystory_customers_contact_map VALUES (18, '1595a652f641835915b6ce38a6da195e', '2026-11-28 20:28:52.021399', '2026-11-28 20:28:52.021399', NULL, NULL);
INSERT INTO public.dailystory_customers_contact_map VALUES (19, '8c26457a4fa548c1621fad34123c8821', '2026-11-28 20:28:52.030564', '2026-11-28 20:28:52.030564', NULL, NULL);
INSERT INTO public.dailystory_customers_contact_map VALUES (20, 'fdc1c870ccd6a228ba7254ba1f875dc7', '2026-11-28 20:28:52.03991', '2026-11-28 20:28:52.03991', NULL, NULL);
INSERT INTO public.dailystory_customers_contact_map VALUES (21, 'b48bb7724109f4f9434ad6be15ea2701', '2026-11-28 20:28:52.049359', '2026-11-28 20:28:52.049359', NULL, NULL);
INSERT INTO public.dailystory_customers_contact_map VALUES (22, '8eeda594a73af908a354dae6164b7724', '2026-11-28 20:28:52.059376', '2026-11-28 20:28:52.059376', NULL, NULL);
INSERT INTO public.dailystory_customers_contact_map VALUES (23, 'f6430fb7b1c0e987a872cc33119eae3b', '2026-11-28 20:28:52.066716', '2026-11-28 20:28:52.066716', NULL, NULL);
INSERT INTO public.dailystory_customers_contact_map VALUES (24, '0f6d99f390d972bf6be0dfedc6495579', '2026-11-28 20:28:52.07142', '2026-11-28 20:28:52.07142', NULL, NULL);
INSERT INTO public.dailystory_customers_contact_map VALUES (25, 'a5e9365b1d02edf9c7d23f28f4fa9b48', '2026-11-28 20:28:52.087381', '2026-11-28 20:28:52.087381', NULL, NULL);
INSERT INTO public.dailystory_customers_contact_map VALUES (26, '0899a3fb6fda7ca69d1e81ed7e9ba11c', '2026-11-28 20:28:52.089506', '2026-11-28 20:28:52.089506', NULL, NULL);
INSERT INTO public.dailystory_customers_contact_map VALUES (27, 'ab1cfaa2b060b2320c3fa2ae39290555', '2026-11-28 20:28:52.102451', '2026-11-28 20:28:52.102451', NULL, NULL);
INSERT INTO public.dailystory_customers_contact_map VALUES (28, '90281f8f7cd86f7e85431535d8260448', '2026-11-28 20:28:52.121573', '2026-11-28 20:28:52.121573', NULL, NULL);
INSERT INTO public.dailystory_customers_contact_map VALUES (29, '239bb12388fe29f981e724ef2e0d223a', '2026-11-28 20:28:52.12944', '2026-11-28 20:28:52.12944', NULL, NULL);
INSERT INTO public.dailystory_customers_contact_map VALUES (30, '13a54874c4129ef4a1bfc4eba230b22a', '2026-11-28 20:28:52.141838', '2026-11-28 20:28:52.141838', NULL, NULL);
INSERT INTO public.dailystory_customers_contact_map VALUES (6, '83fbdcb290253cef43e76b19995a515d', '2026-11-28 20:28:51.908371', '2026-11-28 20:28:53.957298', NULL, NULL);
INSERT INTO public.dailystory_customers_contact_map VALUES (5, '1388aaead1bb7778386e57e2dd837cd3', '2026-11-28 20:28:51.897559', '2026-11-28 20:28:51.897559', '2026-11-28 20:28:54.225065', NULL);
INSERT INTO public.dailystory_customers_intents VALUES (31, 'customer31@example.com', NULL, NULL, '20261128T202912902795-21b2', 3, '2026-11-28 20:29:14.757925');
INSERT INTO public.dailystory_customers_intents VALUES (32, 'customer32@example.com', NULL, NULL, '20261128T202912902795-21b2', 4, '2026-11-28 20:29:14.757925');
INSERT INTO public.dailystory_customers_intents VALUES (33, 'customer33@example.com', NULL, NULL, '20261128T202912902795-21b2', 5, '2026-11-28 20:29:14.757925');
INSERT INTO public.dailystory_customers_intents VALUES (34, 'customer34@example.com', NULL, NULL, '20261128T202912902795-21b2', 6, '2026-11-28 20:29:14.757925');
INSERT INTO public.dailystory_customers_intents VALUES (35, 'customer35@example.com', NULL, NULL, '20261128T202912902795-21b2', 7, '2026-11-28 20:29:14.757925');
INSERT INTO public.dailystory_customers_intents VALUES (36, 'customer36@example.com', NULL, NULL, '20261128T202912902795-21b2', 8, '2026-11-28 20:29:14.757925');
INSERT INTO public.dailystory_customers_intents VALUES (37, 'customer37@example.com', NULL, NULL, '20261128T202912902795-21b2', 9, '2026-11-28 20:29:14.757925');
INSERT INTO public.dailystory_customers_intents VALUES (38, 'customer38@example.com', NULL, NULL, '20261128T202912902795-21b2', 10, '2026-11-28 20:29:14.757925');
INSERT INTO public.dailystory_customers_intents VALUES (39, 'customer39@example.com', NULL, NULL, '20261128T202912902795-21b2', 11, '2026-11-28 20:29:14.757925');
INSERT INTO public.dailystory_customers_intents VALUES (40, 'customer40@example.com', NULL, NULL, '20261128T202912902795-21b2', 12, '2026-11-28 20:29:14.757925');
INSERT INTO public.dailystory_customers_intents VALUES (41, 'customer41@example.com', NULL, NULL, '20261128T202912902795-21b2', 13, '2026-11-28 20:29:14.757925');
INSERT INTO public.dailystory_customers_intents VALUES (42, 'customer42@example.com', NULL, NULL, '20261128T202912902795-21b2', 14, '2026-11-28 20:29:14.757925');
INSERT INTO public.dailystory_customers_intents VALUES (43, 'customer43@example.com', NULL, NULL, '20261128T202912902795-21b2', 15, '2026-11-28 20:29:14.757925');
INSERT INTO public.dailystory_customers_intents VALUES (44, 'customer44@example.com', NULL, NULL, '20261128T202912902795-21b2', 16, '2026-11-28 20:29:14.757925');
INSERT INTO public.dailystory_customers_intents VALUES (45, 'customer45@example.com', NULL, NULL, '20261128T202912902795-21b2', 17, '2026-11-28 20:29:14.757925');
INSERT INTO public.dailystory_customers_intents VALUES (46, 'customer46@example.com', NULL, NULL, '20261128T202912902795-21b2', 18, '2026-11-28 20:29:14.757925');
INSERT INTO public.dailystory_customers_intents VALUES (47, 'customer47@example.com', NULL, NULL, '20261128T202912902795-21b2', 19, '2026-11-28 20:29:14.757925');
INSERT INTO public.dailystory_customers_intents VALUES (48, 'customer48@example.com', NULL, NULL, '20261128T202912902795-21b2', 20, '2026-11-28 20:29:14.757925');
INSERT INTO public.dailystory_customers_intents VALUES (49, 'customer49@example.com', NULL, NULL, '20261128T202912902795-21b2', 21, '2026-11-28 20:29:14.757925');
INSERT INTO public.dailystory_customers_intents VALUES (50, 'customer50@example.com', NULL, NULL, '20261128T202912902795-21b2', 22, '2026-11-28 20:29:14.757925');
INSERT INTO public.dailystory_customers_intents VALUES (51, 'customer51@example.com', NULL, NULL, '20261128T202912902795-21b2', 23, '2026-11-28 20:29:14.757925');
INSERT INTO public.dailystory_customers_intents VALUES (52, 'customer52@example.com', NULL, NULL, '20261128T202912902795-21b2', 24, '2026-11-28 20:29:14.757925');
INSERT INTO public.dailystory_customers_intents VALUES (53, 'customer53@example.com', NULL, NULL, '20261128T202912902795-21b2', 25, '2026-11-28 20:29:14.757925');
INSERT INTO public.dailystory_customers_intents VALUES (54, 'customer54@example.com', NULL, NULL, '20261128T202912902795-21b2', 26, '2026-11-28 20:29:14.757925');
INSERT INTO public.dailystory_customers_intents VALUES (55, 'customer55@example.com', NULL, NULL, '20261128T202912902795-21b2', 27, '2026-11-28 20:29:14.757925');
INSERT INTO public.dailystory_customers_intents VALUES (56, 'customer56@example.com', NULL, NULL, '20261128T202912902795-21b2', 28, '2026-11-28 20:29:14.757925');
INSERT INTO public.dailystory_customers_intents VALUES (57, 'customer57@example.com', NULL, NULL, '20261128T202912902795-21b2', 29, '2026-11-28 20:29:14.757925');
INSERT INTO public.dailystory_customers_intents VALUES (58, 'customer58@example.com', NULL, NULL, '20261128T202912902795-21b2', 30, '2026-11-28 20:29:14.757925');
INSERT INTO public.dailystory_customers_intents VALUES (59, 'customer59@example.com', NULL, NULL, '20261128T202912902795-21b2', 31, '2026-11-28 20:29:14.757925');
INSERT INTO public.dailystory_customers_intents VALUES (60, 'customer60@example.com', NULL, NULL, '20261128T202912902795-21b2', 32, '2026-11-28 20:29:14.757925');
INSERT INTO public.dailystory_customers_rejections VALUES (4, 'refused', 'DailyStory refused the request (400): An error has occurred', 'f88db3da357e3e9e1f4b1b8d626d07b4', 1, 1, '2026-11-28 20:28:52.277304', '2026-11-28 20:28:52.277304');
INSERT INTO public.dailystory_customers_rejections VALUES (3, 'invalid_email', 'email (column ''email'') is not an address that can receive mail (nor can the domains .test, .invalid and .local); correct it in the source or make it NULL in the query', NULL, 1, 0, '2026-11-28 20:28:51.012463', '2026-11-28 20:29:13.662636');
INSERT INTO public.dailystory_customers_snapshot VALUES (1, 'customer1@example.com', 'Name 1', false, 'free', 'customer1@example.com', NULL, NULL, false, NULL, NULL);
INSERT INTO public.dailystory_customers_snapshot VALUES (2, 'customer2@example.com', 'Name 2', true, 'free', 'customer2@example.com', NULL, NULL, false, NULL, NULL);
INSERT INTO public.dailystory_customers_snapshot VALUES (7, 'customer7@example.com', 'Name 7', false, 'free', 'customer7@example.com', NULL, NULL, false, NULL, NULL);
INSERT INTO public.dailystory_customers_snapshot VALUES (8, 'customer8@example.com', 'Name 8', false, 'free', 'customer8@example.com', NULL, NULL, false, NULL, NULL);
INSERT INTO public.dailystory_customers_snapshot VALUES (9, 'customer9@example.com', 'Name 9', false, 'free', 'customer9@example.com', NULL, NULL, false, NULL, NULL);
INSERT INTO public.dailystory_customers_snapshot VALUES (10, 'customer10@example.com', 'Name 10', false, 'free', 'customer10@example.com', NULL, NULL, false, NULL, NULL);
INSERT INTO public.dailystory_customers_snapshot VALUES (11, 'customer11@example.com', 'Name 11', false, 'free', 'customer11@example.com', NULL, NULL, false, NULL, NULL);
INSERT INTO public.dailystory_customers_snapshot VALUES (12, 'customer12@example.com', 'Name 12', false, 'free', 'customer12@example.com', NULL, NULL, false, NULL, NULL);
INSERT INTO public.dailystory_customers_snapshot VALUES (13, 'customer13@example.com', 'Name 13', false, 'free', 'customer13@example.com', NULL, NULL, false, NULL, NULL);
INSERT INTO public.dailystory_customers_snapshot VALUES (14, 'customer14@example.com', 'Name 14', false, 'free', 'customer14@example.com', NULL, NULL, false, NULL, NULL);
INSERT INTO public.dailystory_customers_snapshot VALUES (15, 'customer15@example.com', 'Name 15', false, 'free', 'customer15@example.com', NULL, NULL, false, NULL, NULL);
INSERT INTO public.dailystory_customers_snapshot VALUES (16, 'customer16@example.com', 'Name 16', false, 'free', 'customer16@example.com', NULL, NULL, false, NULL, NULL);
INSERT INTO public.dailystory_customers_snapshot VALUES (17, 'customer17@example.com', 'Name 17', false, 'free', 'customer17@example.com', NULL, NULL, false, NULL, NULL);
INSERT INTO public.dailystory_customers_snapshot VALUES (18, 'customer18@example.com', 'Name 18', false, 'free', 'customer18@example.com', NULL, NULL, false, NULL, NULL);
INSERT INTO public.dailystory_customers_snapshot VALUES (19, 'customer19@example.com', 'Name 19', false, 'free', 'customer19@example.com', NULL, NULL, false, NULL, NULL);
INSERT INTO public.dailystory_customers_snapshot VALUES (20, 'customer20@example.com', 'Name 20', false, 'free', 'customer20@example.com', NULL, NULL, false, NULL, NULL);
INSERT INTO public.dailystory_customers_snapshot VALUES (21, 'customer21@example.com', 'Name 21', false, 'free', 'customer21@example.com', NULL, NULL, false, NULL, NULL);
INSERT INTO public.dailystory_customers_snapshot VALUES (22, 'customer22@example.com', 'Name 22', false, 'free', 'customer22@example.com', NULL, NULL, false, NULL, NULL);
INSERT INTO public.dailystory_customers_snapshot VALUES (23, 'customer23@example.com', 'Name 23', false, 'free', 'customer23@example.com', NULL, NULL, false, NULL, NULL);
INSERT INTO public.dailystory_customers_snapshot VALUES (24, 'customer24@example.com', 'Name 24', false, 'free', 'customer24@example.com', NULL, NULL, false, NULL, NULL);
INSERT INTO public.dailystory_customers_snapshot VALUES (25, 'customer25@example.com', 'Name 25', false, 'free', 'customer25@example.com', NULL, NULL, false, NULL, NULL);
INSERT INTO public.dailystory_customers_snapshot VALUES (26, 'customer26@example.com', 'Name 26', false, 'free', 'customer26@example.com', NULL, NULL, false, NULL, NULL);
INSERT INTO public.dailystory_customers_snapshot VALUES (27, 'customer27@example.com', 'Name 27', false, 'free', 'customer27@example.com', NULL, NULL, false, NULL, NULL);
INSERT INTO public.dailystory_customers_snapshot VALUES (28, 'customer28@example.com', 'Name 28', false, 'free', 'customer28@example.com', NULL, NULL, false, NULL, NULL);
INSERT INTO public.dailystory_customers_snapshot VALUES (29, 'customer29@example.com', 'Name 29', false, 'free', 'customer29@example.com', NULL, NULL, false, NULL, NULL);
INSERT INTO public.dailystory_customers_snapshot VALUES (30, 'customer30@example.com', 'Name 30', false, 'free', 'customer30@example.com', NULL, NULL, false, NULL, NULL);
INSERT INTO public.dailystory_customers_snapshot VALUES (6, 'customer6@example.com', 'Changed', false, 'free', 'customer6@example.com', NULL, NULL, false, NULL, NULL);
INSERT INTO public.dailystory_customers_snapshot VALUES (5, 'customer5@example.com', 'Name 5', false, 'free', 'customer5@example.com', NULL, NULL, false, '2026-11-28 20:28:54.225065', 'deactivate');
INSERT INTO public.dailystory_meta VALUES ('schema_version', '2', NULL, NULL, NULL);
INSERT INTO public.dailystory_meta VALUES ('secret', '4529bceec17f64133120606659a21b0885d459e643e24069f1a17cccdcbabb6e', NULL, NULL, NULL);
INSERT INTO public.dailystory_meta VALUES ('lock:recent', NULL, NULL, 2, '2026-11-28 20:29:03.201773');
INSERT INTO public.dailystory_meta VALUES ('destination', 'http://127.0.0.1:18019/api/v1', NULL, NULL, NULL);
INSERT INTO public.dailystory_meta VALUES ('lock:customers', NULL, 'a-worker/pid:[1]:506:331000:00cf2447', 3, '2026-11-28 20:29:14.729825');
INSERT INTO public.dailystory_meta VALUES ('lock:regional', NULL, NULL, 3, '2026-11-28 20:29:00.314023');
INSERT INTO public.dailystory_meta VALUES ('watermark:recent', '["2026-11-01T10:00:00", "2026-11-28T20:29:01.469328", "386f99f20a35fe08"]', NULL, NULL, NULL);
INSERT INTO public.dailystory_plans VALUES ('20261128T202853069348-3ded', 'customers', NULL, 'python-faa3f9a90a8aabdc', 'changed', '{"limit": null, "keys": 0, "since": null, "next_mark": null}', '8268987dccc2', 'http://127.0.0.1:18019/api/v1', 'done', '[{"name": "source_not_empty", "passed": true, "message": "29 rows were read"}, {"name": "changed_share", "passed": true, "message": "1 of 28 contacts would be updated, which is 3.6%; max_changed_fraction sets no limit"}, {"name": "deleted_share", "passed": true, "message": "1 of 28 contacts would be deactivated, which is 3.6%; max_deleted_fraction sets no limit"}, {"name": "rejected_share", "passed": true, "message": "1 of 29 rows would be set aside, which is 3.4%; max_rejected_fraction sets no limit"}]', '{"firstName": 1}', '{"invalid_email": 1}', 29, 26, 0, 1, 1, 1, 1, 0.7049424399997406, '2026-11-28 20:28:53.513604', '2026-11-28 20:28:53.613797', '2026-11-28 20:28:54.357511', 1000000, 4);
INSERT INTO public.dailystory_plans VALUES ('20261128T202856940416-d954', 'regional', 'amer', 'python-8bb2e6d1378dcce4', 'changed', '{"limit": null, "keys": 0, "since": null, "next_mark": null}', '0a7125987fa2', 'http://127.0.0.1:18019/api/v1', 'done', '[{"name": "source_not_empty", "passed": true, "message": "4 rows were read"}, {"name": "changed_share", "passed": true, "message": "not judged: there are no contacts to judge"}, {"name": "deleted_share", "passed": true, "message": "not judged: there are no contacts to judge"}, {"name": "rejected_share", "passed": true, "message": "0 of 4 rows would be set aside, which is 0.0%; max_rejected_fraction sets no limit"}]', '{"email": 4, "city": 4}', '{}', 4, 0, 4, 0, 0, 0, 0, 0.9723033370000849, '2026-11-28 20:28:57.641427', '2026-11-28 20:28:57.765718', '2026-11-28 20:28:58.392133', 1, 4);
INSERT INTO public.dailystory_plans VALUES ('20261128T202850318372-5784', 'customers', NULL, 'python-826170fdc607bbeb', 'changed', '{"limit": null, "keys": 0, "since": null, "next_mark": null}', '8268987dccc2', 'http://127.0.0.1:18019/api/v1', 'done', '[{"name": "source_not_empty", "passed": true, "message": "30 rows were read"}, {"name": "changed_share", "passed": true, "message": "not judged: there are no contacts to judge"}, {"name": "deleted_share", "passed": true, "message": "not judged: there are no contacts to judge"}, {"name": "rejected_share", "passed": true, "message": "1 of 30 rows would be set aside, which is 3.3%; max_rejected_fraction sets no limit"}]', '{"email": 29, "firstName": 29, "optOutEmail": 29, "plan": 29}', '{"invalid_email": 1}', 30, 0, 29, 0, 0, 1, 0, 1.262774088000242, '2026-11-28 20:28:51.181888', '2026-11-28 20:28:51.306371', '2026-11-28 20:28:52.426026', 1, 30);
INSERT INTO public.dailystory_plans VALUES ('20261128T202855073632-f98f', 'regional', 'emea', 'python-a1336143b20b2c4a', 'changed', '{"limit": null, "keys": 0, "since": null, "next_mark": null}', '0a7125987fa2', 'http://127.0.0.1:18019/api/v1', 'done', '[{"name": "source_not_empty", "passed": true, "message": "4 rows were read"}, {"name": "changed_share", "passed": true, "message": "not judged: there are no contacts to judge"}, {"name": "deleted_share", "passed": true, "message": "not judged: there are no contacts to judge"}, {"name": "rejected_share", "passed": true, "message": "0 of 4 rows would be set aside, which is 0.0%; max_rejected_fraction sets no limit"}]', '{"email": 4, "city": 4}', '{}', 4, 0, 4, 0, 0, 0, 0, 0.9641644759999508, '2026-11-28 20:28:55.709416', '2026-11-28 20:28:55.772861', '2026-11-28 20:28:56.297414', 1, 4);
INSERT INTO public.dailystory_plans VALUES ('20261128T202900997116-5e3f', 'recent', NULL, 'python-8b968e6d02d4e816', 'changed', '{"limit": null, "keys": 0, "since": null, "next_mark": "[null, \"[\\\"2026-11-01T10:00:00\\\", \\\"2026-11-28T20:29:01.469328\\\", \\\"386f99f20a35fe08\\\"]\"]"}', '98e0e27fbbbd', 'http://127.0.0.1:18019/api/v1', 'done', '[{"name": "source_not_empty", "passed": true, "message": "10 rows were read"}, {"name": "changed_share", "passed": true, "message": "not judged: there are no contacts to judge"}, {"name": "deleted_share", "passed": true, "message": "not judged: there are no contacts to judge"}, {"name": "rejected_share", "passed": true, "message": "0 of 10 rows would be set aside, which is 0.0%; max_rejected_fraction sets no limit"}]', '{"email": 10, "firstName": 10}', '{}', 10, 0, 10, 0, 0, 0, 0, 0.820482684000126, '2026-11-28 20:29:01.48546', '2026-11-28 20:29:01.616517', '2026-11-28 20:29:02.276608', 1, 10);
INSERT INTO public.dailystory_plans VALUES ('20261128T202858922476-ef12', 'regional', 'other_values', 'python-c1908adc4b48167a', 'changed', '{"limit": null, "keys": 0, "since": null, "next_mark": null}', '0a7125987fa2', 'http://127.0.0.1:18019/api/v1', 'done', '[{"name": "source_not_empty", "passed": true, "message": "4 rows were read"}, {"name": "changed_share", "passed": true, "message": "not judged: there are no contacts to judge"}, {"name": "deleted_share", "passed": true, "message": "not judged: there are no contacts to judge"}, {"name": "rejected_share", "passed": true, "message": "0 of 4 rows would be set aside, which is 0.0%; max_rejected_fraction sets no limit"}]', '{"email": 4, "city": 4}', '{}', 4, 0, 4, 0, 0, 0, 0, 0.7508698699998604, '2026-11-28 20:28:59.501618', '2026-11-28 20:28:59.585794', '2026-11-28 20:29:00.333367', 1, 4);
INSERT INTO public.dailystory_plans VALUES ('20261128T202902715349-3f79', 'recent', NULL, 'python-9994182adb520590', 'changed', '{"limit": null, "keys": 0, "since": "2026-11-01T09:00:00", "next_mark": "[\"[\\\"2026-11-01T10:00:00\\\", \\\"2026-11-28T20:29:01.469328\\\", \\\"386f99f20a35fe08\\\"]\", \"[\\\"2026-11-01T10:00:00\\\", \\\"2026-11-28T20:29:01.469328\\\", \\\"386f99f20a35fe08\\\"]\"]"}', '98e0e27fbbbd', 'http://127.0.0.1:18019/api/v1', 'done', '[{"name": "source_not_empty", "passed": true, "message": "2 rows were read"}, {"name": "changed_share", "passed": true, "message": "0 of 10 contacts would be updated, which is 0.0%; max_changed_fraction sets no limit"}, {"name": "deleted_share", "passed": true, "message": "0 of 10 contacts would be deleted, which is 0.0%; the limit is 10.0% (max_deleted_fraction)"}, {"name": "rejected_share", "passed": true, "message": "0 of 2 rows would be set aside, which is 0.0%; max_rejected_fraction sets no limit"}]', '{}', '{}', 2, 2, 0, 0, 0, 0, 0, 0.3960155110003143, '2026-11-28 20:29:02.953354', '2026-11-28 20:29:03.029571', '2026-11-28 20:29:03.221483', NULL, NULL);
INSERT INTO public.dailystory_plans VALUES ('20261128T202912902795-21b2', 'customers', NULL, 'python-a89a22d40cadd4de', 'changed', '{"limit": null, "keys": 0, "since": null, "next_mark": null}', '8268987dccc2', 'http://127.0.0.1:18019/api/v1', 'sending', '[{"name": "source_not_empty", "passed": true, "message": "59 rows were read"}, {"name": "changed_share", "passed": true, "message": "0 of 27 contacts would be updated, which is 0.0%; max_changed_fraction sets no limit"}, {"name": "deleted_share", "passed": true, "message": "0 of 27 contacts would be deactivated, which is 0.0%; max_deleted_fraction sets no limit"}, {"name": "rejected_share", "passed": true, "message": "1 of 59 rows would be set aside, which is 1.7%; max_rejected_fraction sets no limit"}]', '{"email": 30, "firstName": 30, "optOutEmail": 30, "plan": 30}', '{"invalid_email": 1}', 59, 27, 30, 0, 0, 1, 1, 1.1804132509996634, '2026-11-28 20:29:13.817717', '2026-11-28 20:29:13.933998', NULL, 1, 32);
INSERT INTO public.dailystory_recent_changes VALUES ('20261128T202900997116-5e3f', 1, 1, 'create', NULL, 'recent1@example.com', NULL, true, true, false, NULL, false, '92fb64db7ad43ca5f30c343fc6c68517', 1, NULL, 'recent1@example.com', 'Name 1', true, true, 'created', NULL, NULL, 1, '2026-11-28 20:29:02.006584');
INSERT INTO public.dailystory_recent_changes VALUES ('20261128T202900997116-5e3f', 2, 2, 'create', NULL, 'recent2@example.com', NULL, true, true, false, NULL, false, 'f168f93e8b4ddbc3fe1608a5241cd43e', 1, NULL, 'recent2@example.com', 'Name 2', true, true, 'created', NULL, NULL, 1, '2026-11-28 20:29:02.021917');
INSERT INTO public.dailystory_recent_changes VALUES ('20261128T202900997116-5e3f', 3, 3, 'create', NULL, 'recent3@example.com', NULL, true, true, false, NULL, false, '88a552c2f04352cf6034fe0025acc975', 1, NULL, 'recent3@example.com', 'Name 3', true, true, 'created', NULL, NULL, 1, '2026-11-28 20:29:02.022745');
INSERT INTO public.dailystory_recent_changes VALUES ('20261128T202900997116-5e3f', 4, 4, 'create', NULL, 'recent4@example.com', NULL, true, true, false, NULL, false, 'aeaf9d7cd549dc6a368b7757cdb08150', 1, NULL, 'recent4@example.com', 'Name 4', true, true, 'created', NULL, NULL, 1, '2026-11-28 20:29:02.023217');
INSERT INTO public.dailystory_recent_changes VALUES ('20261128T202900997116-5e3f', 5, 5, 'create', NULL, 'recent5@example.com', NULL, true, true, false, NULL, false, '3f6a44604f4b88be037008a6e412d569', 1, NULL, 'recent5@example.com', 'Name 5', true, true, 'created', NULL, NULL, 1, '2026-11-28 20:29:02.045878');
INSERT INTO public.dailystory_recent_changes VALUES ('20261128T202900997116-5e3f', 6, 6, 'create', NULL, 'recent6@example.com', NULL, true, true, false, NULL, false, '9d4456aea489652245a17b85213d85df', 1, NULL, 'recent6@example.com', 'Name 6', true, true, 'created', NULL, NULL, 1, '2026-11-28 20:29:02.04669');
INSERT INTO public.dailystory_recent_changes VALUES ('20261128T202900997116-5e3f', 7, 7, 'create', NULL, 'recent7@example.com', NULL, true, true, false, NULL, false, '688a578ed90282c742c6a5dfb7c9b59b', 1, NULL, 'recent7@example.com', 'Name 7', true, true, 'created', NULL, NULL, 1, '2026-11-28 20:29:02.047121');
INSERT INTO public.dailystory_recent_changes VALUES ('20261128T202900997116-5e3f', 8, 8, 'create', NULL, 'recent8@example.com', NULL, true, true, false, NULL, false, '446693c267585387d645787c51cf372f', 1, NULL, 'recent8@example.com', 'Name 8', true, true, 'created', NULL, NULL, 1, '2026-11-28 20:29:02.047294');
INSERT INTO public.dailystory_recent_changes VALUES ('20261128T202900997116-5e3f', 9, 9, 'create', NULL, 'recent9@example.com', NULL, true, true, false, NULL, false, '069637c0d4bbc03213f73bed5d448961', 1, NULL, 'recent9@example.com', 'Name 9', true, true, 'created', NULL, NULL, 1, '2026-11-28 20:29:02.053497');
INSERT INTO public.dailystory_recent_changes VALUES ('20261128T202900997116-5e3f', 10, 10, 'create', NULL, 'recent10@example.com', NULL, true, true, false, NULL, false, 'e0781926cea8e2db6037d56a1f6f39bb', 1, NULL, 'recent10@example.com', 'Name 10', true, true, 'created', NULL, NULL, 1, '2026-11-28 20:29:02.061358');
INSERT INTO public.dailystory_recent_contact_map VALUES (1, '92fb64db7ad43ca5f30c343fc6c68517', '2026-11-28 20:29:02.006584', '2026-11-28 20:29:02.006584', NULL, NULL);
INSERT INTO public.dailystory_recent_contact_map VALUES (2, 'f168f93e8b4ddbc3fe1608a5241cd43e', '2026-11-28 20:29:02.021917', '2026-11-28 20:29:02.021917', NULL, NULL);
INSERT INTO public.dailystory_recent_contact_map VALUES (3, '88a552c2f04352cf6034fe0025acc975', '2026-11-28 20:29:02.022745', '2026-11-28 20:29:02.022745', NULL, NULL);
INSERT INTO public.dailystory_recent_contact_map VALUES (4, 'aeaf9d7cd549dc6a368b7757cdb08150', '2026-11-28 20:29:02.023217', '2026-11-28 20:29:02.023217', NULL, NULL);
INSERT INTO public.dailystory_recent_contact_map VALUES (5, '3f6a44604f4b88be037008a6e412d569', '2026-11-28 20:29:02.045878', '2026-11-28 20:29:02.045878', NULL, NULL);
INSERT INTO public.dailystory_recent_contact_map VALUES (6, '9d4456aea489652245a17b85213d85df', '2026-11-28 20:29:02.04669', '2026-11-28 20:29:02.04669', NULL, NULL);
INSERT INTO public.dailystory_recent_contact_map VALUES (7, '688a578ed90282c742c6a5dfb7c9b59b', '2026-11-28 20:29:02.047121', '2026-11-28 20:29:02.047121', NULL, NULL);
INSERT INTO public.dailystory_recent_contact_map VALUES (8, '446693c267585387d645787c51cf372f', '2026-11-28 20:29:02.047294', '2026-11-28 20:29:02.047294', NULL, NULL);
INSERT INTO public.dailystory_recent_contact_map VALUES (9, '069637c0d4bbc03213f73bed5d448961', '2026-11-28 20:29:02.053497', '2026-11-28 20:29:02.053497', NULL, NULL);
INSERT INTO public.dailystory_recent_contact_map VALUES (10, 'e0781926cea8e2db6037d56a1f6f39bb', '2026-11-28 20:29:02.061358', '2026-11-28 20:29:02.061358', NULL, NULL);
INSERT INTO public.dailystory_recent_snapshot VALUES (1, 'recent1@example.com', 'Name 1', 'recent1@example.com', NULL, NULL, false, NULL, NULL);
INSERT INTO public.dailystory_recent_snapshot VALUES (2, 'recent2@example.com', 'Name 2', 'recent2@example.com', NULL, NULL, false, NULL, NULL);
INSERT INTO public.dailystory_recent_snapshot VALUES (3, 'recent3@example.com', 'Name 3', 'recent3@example.com', NULL, NULL, false, NULL, NULL);
INSERT INTO public.dailystory_recent_snapshot VALUES (4, 'recent4@example.com', 'Name 4', 'recent4@example.com', NULL, NULL, false, NULL, NULL);
INSERT INTO public.dailystory_recent_snapshot VALUES (5, 'recent5@example.com', 'Name 5', 'recent5@example.com', NULL, NULL, false, NULL, NULL);
INSERT INTO public.dailystory_recent_snapshot VALUES (6, 'recent6@example.com', 'Name 6', 'recent6@example.com', NULL, NULL, false, NULL, NULL);
INSERT INTO public.dailystory_recent_snapshot VALUES (7, 'recent7@example.com', 'Name 7', 'recent7@example.com', NULL, NULL, false, NULL, NULL);
INSERT INTO public.dailystory_recent_snapshot VALUES (8, 'recent8@example.com', 'Name 8', 'recent8@example.com', NULL, NULL, false, NULL, NULL);
INSERT INTO public.dailystory_recent_snapshot VALUES (9, 'recent9@example.com', 'Name 9', 'recent9@example.com', NULL, NULL, false, NULL, NULL);
INSERT INTO public.dailystory_recent_snapshot VALUES (10, 'recent10@example.com', 'Name 10', 'recent10@example.com', NULL, NULL, false, NULL, NULL);
INSERT INTO public.dailystory_regional_changes VALUES ('20261128T202855073632-f98f', 1, 3, 'create', 'emea', 'regional3@example.com', NULL, true, true, false, NULL, false, 'eb73291b9723452203a5c6dd8ae6a784', 1, NULL, 'regional3@example.com', 'Oslo', true, true, 'created', NULL, NULL, 1, '2026-11-28 20:28:56.149369');
INSERT INTO public.dailystory_regional_changes VALUES ('20261128T202855073632-f98f', 2, 6, 'create', 'emea', 'regional6@example.com', NULL, true, true, false, NULL, false, '8a95b72c55fa36f8988d9ef79ea335a5', 1, NULL, 'regional6@example.com', 'Oslo', true, true, 'created', NULL, NULL, 1, '2026-11-28 20:28:56.151403');
INSERT INTO public.dailystory_regional_changes VALUES ('20261128T202855073632-f98f', 3, 9, 'create', 'emea', 'regional9@example.com', NULL, true, true, false, NULL, false, '21a206e50a1ab77aa13278c281a44ffb', 1, NULL, 'regional9@example.com', 'Oslo', true, true, 'created', NULL, NULL, 1, '2026-11-28 20:28:56.152122');
INSERT INTO public.dailystory_regional_changes VALUES ('20261128T202855073632-f98f', 4, 12, 'create', 'emea', 'regional12@example.com', NULL, true, true, false, NULL, false, '394031e0fd4d73fe3e4b2ef5a17df63c', 1, NULL, 'regional12@example.com', 'Oslo', true, true, 'created', NULL, NULL, 1, '2026-11-28 20:28:56.157358');
INSERT INTO public.dailystory_regional_changes VALUES ('20261128T202856940416-d954', 1, 1, 'create', 'amer', 'regional1@example.com', NULL, true, true, false, NULL, false, '8e481352f494b6526bea63f8607000af', 1, NULL, 'regional1@example.com', 'Oslo', true, true, 'created', NULL, NULL, 1, '2026-11-28 20:28:58.158057');
INSERT INTO public.dailystory_regional_changes VALUES ('20261128T202856940416-d954', 2, 4, 'create', 'amer', 'regional4@example.com', NULL, true, true, false, NULL, false, '0b65fca2e636d88a19f51b851181339e', 1, NULL, 'regional4@example.com', 'Oslo', true, true, 'created', NULL, NULL, 1, '2026-11-28 20:28:58.162371');
INSERT INTO public.dailystory_regional_changes VALUES ('20261128T202856940416-d954', 3, 7, 'create', 'amer', 'regional7@example.com', NULL, true, true, false, NULL, false, '9c319c99ddc6ea9eee18b1f25329c66f', 1, NULL, 'regional7@example.com', 'Oslo', true, true, 'created', NULL, NULL, 1, '2026-11-28 20:28:58.162506');
INSERT INTO public.dailystory_regional_changes VALUES ('20261128T202856940416-d954', 4, 10, 'create', 'amer', 'regional10@example.com', NULL, true, true, false, NULL, false, '1a50d7ebc6fa0d596018a80baa9ed4af', 1, NULL, 'regional10@example.com', 'Oslo', true, true, 'created', NULL, NULL, 1, '2026-11-28 20:28:58.173386');
INSERT INTO public.dailystory_regional_changes VALUES ('20261128T202858922476-ef12', 1, 2, 'create', 'other_values', 'regional2@example.com', NULL, true, true, false, NULL, false, '81aca8e61a058c3bae74c77e3f5bfa98', 1, NULL, 'regional2@example.com', 'Oslo', true, true, 'created', NULL, NULL, 1, '2026-11-28 20:29:00.065751');
INSERT INTO public.dailystory_regional_changes VALUES ('20261128T202858922476-ef12', 2, 5, 'create', 'other_values', 'regional5@example.com', NULL, true, true, false, NULL, false, '482b267ad00376a8333ef358758cc3c7', 1, NULL, 'regional5@example.com', 'Oslo', true, true, 'created', NULL, NULL, 1, '2026-11-28 20:29:00.066091');
INSERT INTO public.dailystory_regional_changes VALUES ('20261128T202858922476-ef12', 3, 8, 'create', 'other_values', 'regional8@example.com', NULL, true, true, false, NULL, false, '3d77a9422151302f2623fc93d4e1aef9', 1, NULL, 'regional8@example.com', 'Oslo', true, true, 'created', NULL, NULL, 1, '2026-11-28 20:29:00.066332');
INSERT INTO public.dailystory_regional_changes VALUES ('20261128T202858922476-ef12', 4, 11, 'create', 'other_values', 'regional11@example.com', NULL, true, true, false, NULL, false, 'ed0c154f569617d1232bbbc2fe5b9814', 1, NULL, 'regional11@example.com', 'Oslo', true, true, 'created', NULL, NULL, 1, '2026-11-28 20:29:00.066499');
INSERT INTO public.dailystory_regional_contact_map VALUES (3, 'eb73291b9723452203a5c6dd8ae6a784', '2026-11-28 20:28:56.149369', '2026-11-28 20:28:56.149369', NULL, NULL);
INSERT INTO public.dailystory_regional_contact_map VALUES (6, '8a95b72c55fa36f8988d9ef79ea335a5', '2026-11-28 20:28:56.151403', '2026-11-28 20:28:56.151403', NULL, NULL);
INSERT INTO public.dailystory_regional_contact_map VALUES (9, '21a206e50a1ab77aa13278c281a44ffb', '2026-11-28 20:28:56.152122', '2026-11-28 20:28:56.152122', NULL, NULL);
INSERT INTO public.dailystory_regional_contact_map VALUES (12, '394031e0fd4d73fe3e4b2ef5a17df63c', '2026-11-28 20:28:56.157358', '2026-11-28 20:28:56.157358', NULL, NULL);
INSERT INTO public.dailystory_regional_contact_map VALUES (1, '8e481352f494b6526bea63f8607000af', '2026-11-28 20:28:58.158057', '2026-11-28 20:28:58.158057', NULL, NULL);
INSERT INTO public.dailystory_regional_contact_map VALUES (4, '0b65fca2e636d88a19f51b851181339e', '2026-11-28 20:28:58.162371', '2026-11-28 20:28:58.162371', NULL, NULL);
INSERT INTO public.dailystory_regional_contact_map VALUES (7, '9c319c99ddc6ea9eee18b1f25329c66f', '2026-11-28 20:28:58.162506', '2026-11-28 20:28:58.162506', NULL, NULL);
INSERT INTO public.dailystory_regional_contact_map VALUES (10, '1a50d7ebc6fa0d596018a80baa9ed4af', '2026-11-28 20:28:58.173386', '2026-11-28 20:28:58.173386', NULL, NULL);
INSERT INTO public.dailystory_regional_contact_map VALUES (2, '81aca8e61a058c3bae74c77e3f5bfa98', '2026-11-28 20:29:00.065751', '2026-11-28 20:29:00.065751', NULL, NULL);
INSERT INTO public.dailystory_regional_contact_map VALUES (5, '482b267ad00376a8333ef358758cc3c7', '2026-11-28 20:29:00.066091', '2026-11-28 20:29:00.066091', NULL, NULL);
INSERT INTO public.dailystory_regional_contact_map VALUES (8, '3d77a9422151302f2623fc93d4e1aef9', '2026-11-28 20:29:00.066332', '2026-11-28 20:29:00.066332', NULL, NULL);
INSERT INTO public.dailystory_regional_contact_map VALUES (11, 'ed0c154f569617d1232bbbc2fe5b9814', '2026-11-28 20:29:00.066499', '2026-11-28 20:29:00.066499', NULL, NULL);
INSERT INTO public.dailystory_regional_snapshot VALUES (3, 'regional3@example.com', 'Oslo', 'regional3@example.com', NULL, 'emea', false, NULL, NULL);
INSERT INTO public.dailystory_regional_snapshot VALUES (6, 'regional6@example.com', 'Oslo', 'regional6@example.com', NULL, 'emea', false, NULL, NULL);
INSERT INTO public.dailystory_regional_snapshot VALUES (9, 'regional9@example.com', 'Oslo', 'regional9@example.com', NULL, 'emea', false, NULL, NULL);
INSERT INTO public.dailystory_regional_snapshot VALUES (12, 'regional12@example.com', 'Oslo', 'regional12@example.com', NULL, 'emea', false, NULL, NULL);
INSERT INTO public.dailystory_regional_snapshot VALUES (1, 'regional1@example.com', 'Oslo', 'regional1@example.com', NULL, 'amer', false, NULL, NULL);
INSERT INTO public.dailystory_regional_snapshot VALUES (4, 'regional4@example.com', 'Oslo', 'regional4@example.com', NULL, 'amer', false, NULL, NULL);
INSERT INTO public.dailystory_regional_snapshot VALUES (7, 'regional7@example.com', 'Oslo', 'regional7@example.com', NULL, 'amer', false, NULL, NULL);
INSERT INTO public.dailystory_regional_snapshot VALUES (10, 'regional10@example.com', 'Oslo', 'regional10@example.com', NULL, 'amer', false, NULL, NULL);
INSERT INTO public.dailystory_regional_snapshot VALUES (2, 'regional2@example.com', 'Oslo', 'regional2@example.com', NULL, 'other_values', false, NULL, NULL);
INSERT INTO public.dailystory_regional_snapshot VALUES (5, 'regional5@example.com', 'Oslo', 'regional5@example.com', NULL, 'other_values', false, NULL, NULL);
INSERT INTO public.dailystory_regional_snapshot VALUES (8, 'regional8@example.com', 'Oslo', 'regional8@example.com', NULL, 'other_values', false, NULL, NULL);
INSERT INTO public.dailystory_regional_snapshot VALUES (11, 'regional11@example.com', 'Oslo', 'regional11@example.com', NULL, 'other_values', false, NULL, NULL);
INSERT INTO public.dailystory_runs VALUES ('python-826170fdc607bbeb', '20261128T202850318372-5784', 'customers', NULL, 'done', '2026-11-28 20:28:51.418612', '2026-11-28 20:28:52.426026', 28, 0, 0, 0, 1, 0, 0, 0, 30, 0, 0, 0.9933618449999813);
INSERT INTO public.dailystory_runs VALUES ('python-faa3f9a90a8aabdc', '20261128T202853069348-3ded', 'customers', NULL, 'done', '2026-11-28 20:28:53.685003', '2026-11-28 20:28:54.357511', 0, 1, 1, 0, 0, 0, 0, 0, 3, 0, 0, 0.6510927240001365);
INSERT INTO public.dailystory_runs VALUES ('python-a1336143b20b2c4a', '20261128T202855073632-f98f', 'regional', 'emea', 'done', '2026-11-28 20:28:55.805003', '2026-11-28 20:28:56.297414', 4, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0.47822188899999674);
INSERT INTO public.dailystory_runs VALUES ('python-8bb2e6d1378dcce4', '20261128T202856940416-d954', 'regional', 'amer', 'done', '2026-11-28 20:28:57.825791', '2026-11-28 20:28:58.392133', 4, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0.5368131360000916);
INSERT INTO public.dailystory_runs VALUES ('python-c1908adc4b48167a', '20261128T202858922476-ef12', 'regional', 'other_values', 'done', '2026-11-28 20:28:59.640961', '2026-11-28 20:29:00.333367', 4, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0.672483105000083);
INSERT INTO public.dailystory_runs VALUES ('python-8b968e6d02d4e816', '20261128T202900997116-5e3f', 'recent', NULL, 'done', '2026-11-28 20:29:01.69314', '2026-11-28 20:29:02.276608', 10, 0, 0, 0, 0, 0, 0, 0, 11, 0, 0, 0.5637138779998168);
INSERT INTO public.dailystory_runs VALUES ('python-9994182adb520590', '20261128T202902715349-3f79', 'recent', NULL, 'empty', '2026-11-28 20:29:03.067928', '2026-11-28 20:29:03.221483', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.1332647989997895);
INSERT INTO public.recent_customers VALUES ('no', 1, 'recent1@example.com', 'Name 1', '2026-11-01 01:00:00');
INSERT INTO public.recent_customers VALUES ('no', 2, 'recent2@example.com', 'Name 2', '2026-11-01 02:00:00');
INSERT INTO public.recent_customers VALUES ('no', 3, 'recent3@example.com', 'Name 3', '2026-11-01 03:00:00');
INSERT INTO public.recent_customers VALUES ('no', 4, 'recent4@example.com', 'Name 4', '2026-11-01 04:00:00');
INSERT INTO public.recent_customers VALUES ('no', 5, 'recent5@example.com', 'Name 5', '2026-11-01 05:00:00');
INSERT INTO public.recent_customers VALUES ('no', 6, 'recent6@example.com', 'Name 6', '2026-11-01 06:00:00');
INSERT INTO public.recent_customers VALUES ('no', 7, 'recent7@example.com', 'Name 7', '2026-11-01 07:00:00');
INSERT INTO public.recent_customers VALUES ('no', 8, 'recent8@example.com', 'Name 8', '2026-11-01 08:00:00');
INSERT INTO public.recent_customers VALUES ('no', 9, 'recent9@example.com', 'Name 9', '2026-11-01 09:00:00');
INSERT INTO public.recent_customers VALUES ('no', 10, 'recent10@example.com', 'Name 10', '2026-11-01 10:00:00');
INSERT INTO public.regional_customers VALUES (1, 'regional1@example.com', 'Oslo', 'amer');
INSERT INTO public.regional_customers VALUES (2, 'regional2@example.com', 'Oslo', NULL);
INSERT INTO public.regional_customers VALUES (3, 'regional3@example.com', 'Oslo', 'emea');
INSERT INTO public.regional_customers VALUES (4, 'regional4@example.com', 'Oslo', 'amer');
INSERT INTO public.regional_customers VALUES (5, 'regional5@example.com', 'Oslo', NULL);
INSERT INTO public.regional_customers VALUES (6, 'regional6@example.com', 'Oslo', 'emea');
INSERT INTO public.regional_customers VALUES (7, 'regional7@example.com', 'Oslo', 'amer');
INSERT INTO public.regional_customers VALUES (8, 'regional8@example.com', 'Oslo', NULL);
INSERT INTO public.regional_customers VALUES (9, 'regional9@example.com', 'Oslo', 'emea');
INSERT INTO public.regional_customers VALUES (10, 'regional10@example.com', 'Oslo', 'amer');
INSERT INTO public.regional_customers VALUES (11, 'regional11@example.com', 'Oslo', NULL);
INSERT INTO public.regional_customers VALUES (12, 'regional12@example.com', 'Oslo', 'emea');
ALTER TABLE ONLY public.dailystory_customers_changes
    ADD CONSTRAINT dailystory_customers_changes_pkey PRIMARY KEY (plan_id, sequence);
ALTER TABLE ONLY public.dailystory_customers_contact_map
    ADD CONSTRAINT dailystory_customers_contact_map_pkey PRIMARY KEY (customer_id);
ALTER TABLE ONLY public.dailystory_customers_intents
    ADD CONSTRAINT dailystory_customers_intents_pkey PRIMARY KEY (customer_id);
ALTER TABLE ONLY public.dailystory_customers_row_hashes
    ADD CONSTRAINT dailystory_customers_row_hashes_pkey PRIMARY KEY (customer_id);
ALTER TABLE ONLY public.dailystory_customers_snapshot
    ADD CONSTRAINT dailystory_customers_snapshot_pkey PRIMARY KEY (customer_id);
ALTER TABLE ONLY public.dailystory_meta
    ADD CONSTRAINT dailystory_meta_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.dailystory_plans
    ADD CONSTRAINT dailystory_plans_pkey PRIMARY KEY (plan_id);
ALTER TABLE ONLY public.dailystory_recent_changes
    ADD CONSTRAINT dailystory_recent_changes_pkey PRIMARY KEY (plan_id, sequence);
ALTER TABLE ONLY public.dailystory_recent_contact_map
    ADD CONSTRAINT dailystory_recent_contact_map_pkey PRIMARY KEY (number);
ALTER TABLE ONLY public.dailystory_recent_intents
    ADD CONSTRAINT dailystory_recent_intents_pkey PRIMARY KEY (number);
ALTER TABLE ONLY public.dailystory_recent_row_hashes
    ADD CONSTRAINT dailystory_recent_row_hashes_pkey PRIMARY KEY (number);
ALTER TABLE ONLY public.dailystory_recent_snapshot
    ADD CONSTRAINT dailystory_recent_snapshot_pkey PRIMARY KEY (number);
ALTER TABLE ONLY public.dailystory_regional_changes
    ADD CONSTRAINT dailystory_regional_changes_pkey PRIMARY KEY (plan_id, sequence);
ALTER TABLE ONLY public.dailystory_regional_contact_map
    ADD CONSTRAINT dailystory_regional_contact_map_pkey PRIMARY KEY (customer_id);
ALTER TABLE ONLY public.dailystory_regional_intents
    ADD CONSTRAINT dailystory_regional_intents_pkey PRIMARY KEY (customer_id);
ALTER TABLE ONLY public.dailystory_regional_row_hashes
    ADD CONSTRAINT dailystory_regional_row_hashes_pkey PRIMARY KEY (customer_id);
ALTER TABLE ONLY public.dailystory_regional_snapshot
    ADD CONSTRAINT dailystory_regional_snapshot_pkey PRIMARY KEY (customer_id);
CREATE INDEX dailystory_customers_contact_map_759c46fa ON public.dailystory_customers_contact_map USING btree (dsid);
CREATE INDEX dailystory_customers_rejections_9a0e715d ON public.dailystory_customers_rejections USING btree (customer_id);
CREATE INDEX dailystory_customers_snapshot_55a2a2ee ON public.dailystory_customers_snapshot USING btree (identity_mobile);
CREATE INDEX dailystory_customers_snapshot_b33e3ec5 ON public.dailystory_customers_snapshot USING btree (identity_email);
CREATE INDEX dailystory_recent_contact_map_0142490a ON public.dailystory_recent_contact_map USING btree (dsid);
CREATE INDEX dailystory_recent_rejections_237bf237 ON public.dailystory_recent_rejections USING btree (number);
CREATE INDEX dailystory_recent_snapshot_66fcee9e ON public.dailystory_recent_snapshot USING btree (identity_mobile);
CREATE INDEX dailystory_recent_snapshot_abd5491b ON public.dailystory_recent_snapshot USING btree (identity_email);
CREATE INDEX dailystory_regional_contact_map_c5542804 ON public.dailystory_regional_contact_map USING btree (dsid);
CREATE INDEX dailystory_regional_rejections_febbb11e ON public.dailystory_regional_rejections USING btree (customer_id);
CREATE INDEX dailystory_regional_snapshot_68ca2fa5 ON public.dailystory_regional_snapshot USING btree (identity_mobile);
CREATE INDEX dailystory_regional_snapshot_e770d4ef ON public.dailystory_regional_snapshot USING btree (identity_email);
