ALTER TABLE dailystory_customers_changes ADD COLUMN "differs_field_lastName" BOOLEAN;

ALTER TABLE dailystory_customers_changes ADD COLUMN "field_lastName" TEXT;

ALTER TABLE dailystory_customers_changes ADD COLUMN field_city INTEGER;

ALTER TABLE dailystory_customers_changes DROP COLUMN field_city;

ALTER TABLE dailystory_customers_snapshot ADD COLUMN "field_lastName" TEXT;

ALTER TABLE dailystory_customers_snapshot ADD COLUMN retyped_field_city INTEGER;

ALTER TABLE dailystory_customers_snapshot DROP COLUMN field_city;

ALTER TABLE dailystory_customers_snapshot RENAME COLUMN retyped_field_city TO field_city;

ANALYZE dailystory_customers_judged (sequence);

ANALYZE dailystory_customers_pending (customer_id, sequence);

ANALYZE dailystory_customers_staged (customer_id);

CREATE INDEX dailystory_customers_contact_map_759c46fa ON dailystory_customers_contact_map (dsid);

CREATE INDEX dailystory_customers_judged_sequence ON dailystory_customers_judged (sequence);

CREATE INDEX dailystory_customers_pending_sequence ON dailystory_customers_pending (sequence);

CREATE INDEX dailystory_customers_rejections_9a0e715d ON dailystory_customers_rejections (customer_id);

CREATE INDEX dailystory_customers_snapshot_55a2a2ee ON dailystory_customers_snapshot (identity_mobile);

CREATE INDEX dailystory_customers_snapshot_b33e3ec5 ON dailystory_customers_snapshot (identity_email);

CREATE TABLE dailystory_customers_changes (
	plan_id TEXT NOT NULL, 
	sequence BIGINT NOT NULL, 
	customer_id BIGINT NOT NULL, 
	operation TEXT, 
	partition_value TEXT, 
	identity_email TEXT, 
	identity_mobile TEXT, 
	is_new BOOLEAN, 
	replaces BOOLEAN, 
	identity_changed BOOLEAN, 
	rekeyed BOOLEAN, 
	reactivates BOOLEAN, 
	absent_action TEXT, 
	deleted_in_dailystory BOOLEAN, 
	dsid TEXT, 
	priority BIGINT, 
	waits_for BIGINT, 
	field_email TEXT, 
	"field_firstName" TEXT, 
	field_city TEXT, 
	custom_plan TEXT, 
	differs_field_email BOOLEAN, 
	"differs_field_firstName" BOOLEAN, 
	differs_field_city BOOLEAN, 
	differs_custom_plan BOOLEAN, 
	dropped_fields TEXT, 
	outcome TEXT, 
	reason TEXT, 
	message TEXT, 
	attempts BIGINT, 
	answered_at TIMESTAMP WITHOUT TIME ZONE, 
	PRIMARY KEY (plan_id, sequence)
);

CREATE TABLE dailystory_customers_changes (
	plan_id TEXT NOT NULL, 
	sequence BIGINT NOT NULL, 
	customer_id INTEGER NOT NULL, 
	operation TEXT, 
	partition_value TEXT, 
	identity_email TEXT, 
	identity_mobile TEXT, 
	is_new BOOLEAN, 
	replaces BOOLEAN, 
	identity_changed BOOLEAN, 
	rekeyed BOOLEAN, 
	reactivates BOOLEAN, 
	absent_action TEXT, 
	deleted_in_dailystory BOOLEAN, 
	dsid TEXT, 
	priority BIGINT, 
	waits_for BIGINT, 
	field_email TEXT, 
	"field_firstName" TEXT, 
	field_city TEXT, 
	custom_plan TEXT, 
	differs_field_email BOOLEAN, 
	"differs_field_firstName" BOOLEAN, 
	differs_field_city BOOLEAN, 
	differs_custom_plan BOOLEAN, 
	dropped_fields TEXT, 
	outcome TEXT, 
	reason TEXT, 
	message TEXT, 
	attempts BIGINT, 
	answered_at TIMESTAMP WITHOUT TIME ZONE, 
	PRIMARY KEY (plan_id, sequence)
);

CREATE TABLE dailystory_customers_contact_map (
	customer_id BIGINT NOT NULL, 
	dsid TEXT NOT NULL, 
	first_synced_at TIMESTAMP WITHOUT TIME ZONE, 
	last_synced_at TIMESTAMP WITHOUT TIME ZONE, 
	deactivated_at TIMESTAMP WITHOUT TIME ZONE, 
	deleted_at TIMESTAMP WITHOUT TIME ZONE, 
	deleted_in_dailystory_at TIMESTAMP WITHOUT TIME ZONE, 
	PRIMARY KEY (customer_id)
);

CREATE TABLE dailystory_customers_contact_map (
	customer_id INTEGER NOT NULL, 
	dsid TEXT NOT NULL, 
	first_synced_at TIMESTAMP WITHOUT TIME ZONE, 
	last_synced_at TIMESTAMP WITHOUT TIME ZONE, 
	deactivated_at TIMESTAMP WITHOUT TIME ZONE, 
	deleted_at TIMESTAMP WITHOUT TIME ZONE, 
	deleted_in_dailystory_at TIMESTAMP WITHOUT TIME ZONE, 
	PRIMARY KEY (customer_id)
);

CREATE TABLE dailystory_customers_intents (
	customer_id BIGINT NOT NULL, 
	email_as_sent TEXT, 
	mobile_as_sent TEXT, 
	dsid TEXT, 
	plan_id TEXT, 
	sequence BIGINT, 
	sent_at TIMESTAMP WITHOUT TIME ZONE, 
	PRIMARY KEY (customer_id)
);

CREATE TABLE dailystory_customers_intents (
	customer_id INTEGER NOT NULL, 
	email_as_sent TEXT, 
	mobile_as_sent TEXT, 
	dsid TEXT, 
	plan_id TEXT, 
	sequence BIGINT, 
	sent_at TIMESTAMP WITHOUT TIME ZONE, 
	PRIMARY KEY (customer_id)
);

CREATE TABLE dailystory_customers_rejections (
	customer_id BIGINT, 
	reason TEXT, 
	message TEXT, 
	fingerprint TEXT, 
	opts_out BOOLEAN, 
	source_rows BIGINT, 
	attempts BIGINT, 
	first_seen_at TIMESTAMP WITHOUT TIME ZONE, 
	last_seen_at TIMESTAMP WITHOUT TIME ZONE
);

CREATE TABLE dailystory_customers_rejections (
	customer_id INTEGER, 
	reason TEXT, 
	message TEXT, 
	fingerprint TEXT, 
	opts_out BOOLEAN, 
	source_rows BIGINT, 
	attempts BIGINT, 
	first_seen_at TIMESTAMP WITHOUT TIME ZONE, 
	last_seen_at TIMESTAMP WITHOUT TIME ZONE
);

CREATE TABLE dailystory_customers_row_hashes (
	customer_id BIGINT NOT NULL, 
	row_hash BIGINT, 
	PRIMARY KEY (customer_id)
);

CREATE TABLE dailystory_customers_row_hashes (
	customer_id INTEGER NOT NULL, 
	row_hash BIGINT, 
	PRIMARY KEY (customer_id)
);

CREATE TABLE dailystory_customers_snapshot (
	customer_id BIGINT NOT NULL, 
	field_email TEXT, 
	"field_firstName" TEXT, 
	field_city TEXT, 
	custom_plan TEXT, 
	identity_email TEXT, 
	identity_mobile TEXT, 
	partition_value TEXT, 
	resend_all BOOLEAN, 
	unknown_fields TEXT, 
	absent_since TIMESTAMP WITHOUT TIME ZONE, 
	absent_action TEXT, 
	acknowledged_plan BIGINT, 
	only_mapped BOOLEAN, 
	PRIMARY KEY (customer_id)
);

CREATE TABLE dailystory_customers_snapshot (
	customer_id INTEGER NOT NULL, 
	field_email TEXT, 
	"field_firstName" TEXT, 
	field_city TEXT, 
	custom_plan TEXT, 
	identity_email TEXT, 
	identity_mobile TEXT, 
	partition_value TEXT, 
	resend_all BOOLEAN, 
	unknown_fields TEXT, 
	absent_since TIMESTAMP WITHOUT TIME ZONE, 
	absent_action TEXT, 
	acknowledged_plan BIGINT, 
	only_mapped BOOLEAN, 
	PRIMARY KEY (customer_id)
);

CREATE TABLE dailystory_meta (
	name TEXT NOT NULL, 
	value TEXT, 
	holder TEXT, 
	fence BIGINT, 
	heartbeat_at TIMESTAMP WITHOUT TIME ZONE, 
	run_id TEXT, 
	taken_at TIMESTAMP WITHOUT TIME ZONE, 
	PRIMARY KEY (name)
);

CREATE TABLE dailystory_plans (
	plan_id TEXT NOT NULL, 
	sync_name TEXT, 
	partition_value TEXT, 
	run_id TEXT, 
	scope TEXT, 
	options TEXT, 
	mapping_version TEXT, 
	destination TEXT, 
	status TEXT, 
	guards TEXT, 
	changes_by_field TEXT, 
	rejections_by_reason TEXT, 
	settings TEXT, 
	fields_dropped TEXT, 
	new_custom_fields TEXT, 
	opt_outs_waiting TEXT, 
	number BIGINT, 
	rows_read BIGINT, 
	rows_unchanged BIGINT, 
	rows_to_create BIGINT, 
	rows_to_update BIGINT, 
	rows_to_delete BIGINT, 
	rows_rejected BIGINT, 
	rows_held BIGINT, 
	rows_delete_skipped_shared BIGINT, 
	opt_outs_to_send BIGINT, 
	opt_outs_pending BIGINT, 
	opt_outs_ahead BIGINT, 
	live_keys BIGINT, 
	whole_source BOOLEAN, 
	first_load BOOLEAN, 
	diff_seconds FLOAT(53), 
	created_at TIMESTAMP WITHOUT TIME ZONE, 
	expires_at TIMESTAMP WITHOUT TIME ZONE, 
	sent_at TIMESTAMP WITHOUT TIME ZONE, 
	finished_at TIMESTAMP WITHOUT TIME ZONE, 
	left_priority BIGINT, 
	left_sequence BIGINT, 
	PRIMARY KEY (plan_id)
);

CREATE TABLE dailystory_runs (
	run_id TEXT, 
	plan_id TEXT, 
	sync_name TEXT, 
	partition_value TEXT, 
	outcome TEXT, 
	started_at TIMESTAMP WITHOUT TIME ZONE, 
	finished_at TIMESTAMP WITHOUT TIME ZONE, 
	rows_created BIGINT, 
	rows_updated BIGINT, 
	rows_deleted BIGINT, 
	rows_mapped BIGINT, 
	rows_refused BIGINT, 
	rows_failed BIGINT, 
	rows_in_doubt BIGINT, 
	rows_conflicted BIGINT, 
	rows_deleted_in_dailystory BIGINT, 
	rows_delete_skipped_shared BIGINT, 
	rows_skipped BIGINT, 
	rows_delete_waiting BIGINT, 
	rows_delete_returned BIGINT, 
	opt_outs_sent BIGINT, 
	opt_outs_pending BIGINT, 
	api_requests BIGINT, 
	api_retries BIGINT, 
	api_throttled BIGINT, 
	send_seconds FLOAT(53)
);

CREATE TEMPORARY TABLE dailystory_customers_answers (
	sequence BIGSERIAL NOT NULL, 
	outcome TEXT, 
	dsid TEXT, 
	reason TEXT, 
	message TEXT, 
	attempts BIGINT, 
	answered_at TIMESTAMP WITHOUT TIME ZONE, 
	replaced BOOLEAN, 
	is_other_contact BOOLEAN, 
	PRIMARY KEY (sequence)
)
 ON COMMIT DELETE ROWS;

CREATE TEMPORARY TABLE dailystory_customers_duplicates AS SELECT source.customer_id, coalesce(sum(CASE WHEN (CAST(coalesce((hashtextextended(CAST(source.customer_id AS TEXT), 0) & 9223372036854775807) % 2, 0) AS BIGINT) = 1) THEN 1 ELSE 0 END), 0) AS source_rows 
FROM (SELECT source.customer_id AS customer_id, source.email AS field_email, source.first_name AS "field_firstName", source.city AS field_city, source.plan AS custom_plan 
FROM customers AS source) AS source 
WHERE source.customer_id IS NOT NULL GROUP BY source.customer_id 
HAVING count(*) > 1 AND coalesce(sum(CASE WHEN (CAST(coalesce((hashtextextended(CAST(source.customer_id AS TEXT), 0) & 9223372036854775807) % 2, 0) AS BIGINT) = 1) THEN 1 ELSE 0 END), 0) > 0;

CREATE TEMPORARY TABLE dailystory_customers_duplicates AS SELECT source.customer_id, coalesce(sum(CASE WHEN (CAST(coalesce((hashtextextended(CAST(source.customer_id AS TEXT), 0) & 9223372036854775807) % 2, 0) AS BIGINT) = 1) THEN 1 ELSE 0 END), 0) AS source_rows 
FROM dailystory_customers_staged AS source 
WHERE source.customer_id IS NOT NULL GROUP BY source.customer_id 
HAVING count(*) > 1 AND coalesce(sum(CASE WHEN (CAST(coalesce((hashtextextended(CAST(source.customer_id AS TEXT), 0) & 9223372036854775807) % 2, 0) AS BIGINT) = 1) THEN 1 ELSE 0 END), 0) > 0;

CREATE TEMPORARY TABLE dailystory_customers_duplicates AS SELECT source.customer_id, coalesce(sum(CASE WHEN (EXISTS (SELECT * 
FROM dailystory_customers_rejections 
WHERE dailystory_customers_rejections.customer_id = source.customer_id)) THEN 1 ELSE 0 END), 0) AS source_rows 
FROM (SELECT source.customer_id AS customer_id, source.email AS field_email, source.first_name AS "field_firstName", source.city AS field_city, source.plan AS custom_plan 
FROM customers AS source) AS source 
WHERE source.customer_id IS NOT NULL GROUP BY source.customer_id 
HAVING count(*) > 1 AND coalesce(sum(CASE WHEN (EXISTS (SELECT * 
FROM dailystory_customers_rejections 
WHERE dailystory_customers_rejections.customer_id = source.customer_id)) THEN 1 ELSE 0 END), 0) > 0;

CREATE TEMPORARY TABLE dailystory_customers_duplicates AS SELECT source.customer_id, coalesce(sum(CASE WHEN (EXISTS (SELECT * 
FROM dailystory_customers_rejections 
WHERE dailystory_customers_rejections.customer_id = source.customer_id)) THEN 1 ELSE 0 END), 0) AS source_rows 
FROM dailystory_customers_staged AS source 
WHERE source.customer_id IS NOT NULL GROUP BY source.customer_id 
HAVING count(*) > 1 AND coalesce(sum(CASE WHEN (EXISTS (SELECT * 
FROM dailystory_customers_rejections 
WHERE dailystory_customers_rejections.customer_id = source.customer_id)) THEN 1 ELSE 0 END), 0) > 0;

CREATE TEMPORARY TABLE dailystory_customers_duplicates AS SELECT source.customer_id, coalesce(sum(CASE WHEN (source.customer_id = 5) THEN 1 ELSE 0 END), 0) AS source_rows 
FROM (SELECT source.customer_id AS customer_id, source.email AS field_email, source.first_name AS "field_firstName", source.city AS field_city, source.plan AS custom_plan 
FROM customers AS source) AS source 
WHERE source.customer_id IS NOT NULL GROUP BY source.customer_id 
HAVING count(*) > 1 AND coalesce(sum(CASE WHEN (source.customer_id = 5) THEN 1 ELSE 0 END), 0) > 0;

CREATE TEMPORARY TABLE dailystory_customers_duplicates AS SELECT source.customer_id, coalesce(sum(CASE WHEN (source.customer_id = 5) THEN 1 ELSE 0 END), 0) AS source_rows 
FROM dailystory_customers_staged AS source 
WHERE source.customer_id IS NOT NULL GROUP BY source.customer_id 
HAVING count(*) > 1 AND coalesce(sum(CASE WHEN (source.customer_id = 5) THEN 1 ELSE 0 END), 0) > 0;

CREATE TEMPORARY TABLE dailystory_customers_duplicates AS SELECT source.customer_id, coalesce(sum(CASE WHEN true THEN 1 ELSE 0 END), 0) AS source_rows 
FROM (SELECT source.customer_id AS customer_id, source.email AS field_email, source.first_name AS "field_firstName", source.city AS field_city, source.plan AS custom_plan 
FROM customers AS source) AS source 
WHERE source.customer_id IS NOT NULL GROUP BY source.customer_id 
HAVING count(*) > 1 AND coalesce(sum(CASE WHEN true THEN 1 ELSE 0 END), 0) > 0;

CREATE TEMPORARY TABLE dailystory_customers_duplicates AS SELECT source.customer_id, coalesce(sum(CASE WHEN true THEN 1 ELSE 0 END), 0) AS source_rows 
FROM (SELECT source.customer_id AS customer_id, source.email AS field_email, source.first_name AS "field_firstName", source.city AS field_city, source.plan AS custom_plan 
FROM dailystory_customers_staged AS source) AS source 
WHERE source.customer_id IS NOT NULL GROUP BY source.customer_id 
HAVING count(*) > 1 AND coalesce(sum(CASE WHEN true THEN 1 ELSE 0 END), 0) > 0;

CREATE TEMPORARY TABLE dailystory_customers_duplicates AS SELECT source.customer_id, coalesce(sum(CASE WHEN true THEN 1 ELSE 0 END), 0) AS source_rows 
FROM (SELECT source.customer_id AS customer_id, source.email AS field_email, source.first_name AS "field_firstName", source.level AS field_city, source.plan AS "field_lastName", source.plan AS custom_plan 
FROM customers AS source) AS source 
WHERE source.customer_id IS NOT NULL GROUP BY source.customer_id 
HAVING count(*) > 1 AND coalesce(sum(CASE WHEN true THEN 1 ELSE 0 END), 0) > 0;

CREATE TEMPORARY TABLE dailystory_customers_duplicates AS SELECT source.customer_id, coalesce(sum(CASE WHEN true THEN 1 ELSE 0 END), 0) AS source_rows 
FROM dailystory_customers_staged AS source 
WHERE source.customer_id IS NOT NULL GROUP BY source.customer_id 
HAVING count(*) > 1 AND coalesce(sum(CASE WHEN true THEN 1 ELSE 0 END), 0) > 0;

CREATE TEMPORARY TABLE dailystory_customers_judged (
	sequence BIGINT, 
	operation TEXT, 
	identity_email TEXT, 
	identity_mobile TEXT, 
	identity_changed BOOLEAN, 
	reason TEXT, 
	message TEXT, 
	held BOOLEAN, 
	rekeyed BOOLEAN, 
	reactivates BOOLEAN, 
	absent_action TEXT, 
	deleted_in_dailystory BOOLEAN, 
	dsid TEXT, 
	waits_for BIGINT, 
	priority BIGINT, 
	dropped_fields TEXT
);

CREATE TEMPORARY TABLE dailystory_customers_new_identities AS SELECT row_number() OVER () AS sequence, found.field_email 
FROM (SELECT source.field_email AS field_email 
FROM (SELECT source.customer_id AS customer_id, source.email AS field_email, source.first_name AS "field_firstName", source.city AS field_city, source.plan AS custom_plan 
FROM customers AS source) AS source LEFT OUTER JOIN dailystory_customers_snapshot ON dailystory_customers_snapshot.customer_id = source.customer_id LEFT OUTER JOIN dailystory_customers_pending ON source.customer_id = dailystory_customers_pending.customer_id AND NOT dailystory_customers_pending.departed 
WHERE dailystory_customers_snapshot.customer_id IS NULL AND dailystory_customers_pending.customer_id IS NULL AND source.field_email IS NOT NULL) AS found;

CREATE TEMPORARY TABLE dailystory_customers_new_identities AS SELECT row_number() OVER () AS sequence, found.field_email 
FROM (SELECT source.field_email AS field_email 
FROM dailystory_customers_staged AS source LEFT OUTER JOIN dailystory_customers_snapshot ON source.customer_id = dailystory_customers_snapshot.customer_id LEFT OUTER JOIN dailystory_customers_pending ON source.customer_id = dailystory_customers_pending.customer_id AND NOT dailystory_customers_pending.departed 
WHERE dailystory_customers_snapshot.customer_id IS NULL AND dailystory_customers_pending.customer_id IS NULL AND source.field_email IS NOT NULL) AS found;

CREATE TEMPORARY TABLE dailystory_customers_newcomers (
	identity_email TEXT, 
	identity_mobile TEXT
);

CREATE TEMPORARY TABLE dailystory_customers_pending AS WITH differing AS MATERIALIZED 
(SELECT coalesce(source.customer_id, dailystory_customers_snapshot.customer_id) AS customer_id, source.field_email AS field_email, source."field_firstName" AS "field_firstName", source.field_city AS field_city, source."field_lastName" AS "field_lastName", source.custom_plan AS custom_plan, dailystory_customers_snapshot.field_email AS old_field_email, dailystory_customers_snapshot."field_firstName" AS "old_field_firstName", dailystory_customers_snapshot.field_city AS old_field_city, dailystory_customers_snapshot."field_lastName" AS "old_field_lastName", dailystory_customers_snapshot.custom_plan AS old_custom_plan, dailystory_customers_snapshot.customer_id IS NULL AS is_new, dailystory_customers_snapshot.customer_id IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL OR coalesce(dailystory_customers_snapshot.resend_all, false) AS replaces, source.customer_id IS NULL AND dailystory_customers_snapshot.customer_id IS NOT NULL AS departed, dailystory_customers_snapshot.absent_since IS NOT NULL AS returns, dailystory_customers_snapshot.identity_email AS old_email, dailystory_customers_snapshot.identity_mobile AS old_mobile 
FROM (SELECT source.customer_id AS customer_id, source.email AS field_email, source.first_name AS "field_firstName", source.level AS field_city, source.plan AS "field_lastName", source.plan AS custom_plan 
FROM customers AS source) AS source FULL OUTER JOIN dailystory_customers_snapshot ON dailystory_customers_snapshot.customer_id = source.customer_id 
WHERE source.customer_id IS NOT NULL AND true AND (dailystory_customers_snapshot.customer_id IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL OR coalesce(dailystory_customers_snapshot.resend_all, false) OR (source.field_email COLLATE "C") IS DISTINCT FROM (dailystory_customers_snapshot.field_email COLLATE "C") AND nullif(source.field_email, '') IS NOT NULL OR (source."field_firstName" COLLATE "C") IS DISTINCT FROM (dailystory_customers_snapshot."field_firstName" COLLATE "C") AND nullif(source."field_firstName", '') IS NOT NULL OR source.field_city IS DISTINCT FROM dailystory_customers_snapshot.field_city AND source.field_city IS NOT NULL OR (source."field_lastName" COLLATE "C") IS DISTINCT FROM (dailystory_customers_snapshot."field_lastName" COLLATE "C") AND nullif(source."field_lastName", '') IS NOT NULL OR (source.custom_plan COLLATE "C") IS DISTINCT FROM (dailystory_customers_snapshot.custom_plan COLLATE "C") AND nullif(source.custom_plan, '') IS NOT NULL) OR source.customer_id IS NULL AND dailystory_customers_snapshot.customer_id IS NOT NULL AND dailystory_customers_snapshot.absent_since IS NULL)
 SELECT row_number() OVER (ORDER BY differing.departed, differing.customer_id) + CAST(0 AS BIGINT) AS sequence, differing.customer_id, nullif(differing.field_email, '') AS field_email, nullif(differing."field_firstName", '') AS "field_firstName", differing.field_city AS field_city, nullif(differing."field_lastName", '') AS "field_lastName", nullif(differing.custom_plan, '') AS custom_plan, (differing.field_email COLLATE "C") IS DISTINCT FROM (differing.old_field_email COLLATE "C") AND nullif(differing.field_email, '') IS NOT NULL OR differing.replaces AND nullif(differing.field_email, '') IS NOT NULL AS differs_field_email, (differing."field_firstName" COLLATE "C") IS DISTINCT FROM (differing."old_field_firstName" COLLATE "C") AND nullif(differing."field_firstName", '') IS NOT NULL OR differing.replaces AND nullif(differing."field_firstName", '') IS NOT NULL AS "differs_field_firstName", differing.field_city IS DISTINCT FROM differing.old_field_city AND differing.field_city IS NOT NULL OR differing.replaces AND differing.field_city IS NOT NULL AS differs_field_city, (differing."field_lastName" COLLATE "C") IS DISTINCT FROM (differing."old_field_lastName" COLLATE "C") AND nullif(differing."field_lastName", '') IS NOT NULL OR differing.replaces AND nullif(differing."field_lastName", '') IS NOT NULL AS "differs_field_lastName", (differing.custom_plan COLLATE "C") IS DISTINCT FROM (differing.old_custom_plan COLLATE "C") AND nullif(differing.custom_plan, '') IS NOT NULL OR differing.replaces AND nullif(differing.custom_plan, '') IS NOT NULL AS differs_custom_plan, differing.is_new, differing.replaces, differing.departed, differing.returns, differing.old_email, differing.old_mobile 
FROM differing;

CREATE TEMPORARY TABLE dailystory_customers_pending AS WITH differing AS MATERIALIZED 
(SELECT coalesce(source.customer_id, dailystory_customers_snapshot.customer_id) AS customer_id, source.field_email AS field_email, source."field_firstName" AS "field_firstName", source.field_city AS field_city, source."field_lastName" AS "field_lastName", source.custom_plan AS custom_plan, dailystory_customers_snapshot.field_email AS old_field_email, dailystory_customers_snapshot."field_firstName" AS "old_field_firstName", dailystory_customers_snapshot.field_city AS old_field_city, dailystory_customers_snapshot."field_lastName" AS "old_field_lastName", dailystory_customers_snapshot.custom_plan AS old_custom_plan, dailystory_customers_snapshot.customer_id IS NULL AS is_new, dailystory_customers_snapshot.customer_id IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL OR coalesce(dailystory_customers_snapshot.resend_all, false) AS replaces, source.customer_id IS NULL AND dailystory_customers_snapshot.customer_id IS NOT NULL AS departed, dailystory_customers_snapshot.absent_since IS NOT NULL AS returns, dailystory_customers_snapshot.identity_email AS old_email, dailystory_customers_snapshot.identity_mobile AS old_mobile 
FROM dailystory_customers_staged AS source FULL OUTER JOIN dailystory_customers_snapshot ON source.customer_id = dailystory_customers_snapshot.customer_id 
WHERE source.customer_id IS NOT NULL AND true AND (dailystory_customers_snapshot.customer_id IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL OR coalesce(dailystory_customers_snapshot.resend_all, false) OR (source.field_email COLLATE "C") IS DISTINCT FROM (dailystory_customers_snapshot.field_email COLLATE "C") AND nullif(source.field_email, '') IS NOT NULL OR (source."field_firstName" COLLATE "C") IS DISTINCT FROM (dailystory_customers_snapshot."field_firstName" COLLATE "C") AND nullif(source."field_firstName", '') IS NOT NULL OR (source.field_city COLLATE "C") IS DISTINCT FROM (dailystory_customers_snapshot.field_city COLLATE "C") AND nullif(source.field_city, '') IS NOT NULL OR (source."field_lastName" COLLATE "C") IS DISTINCT FROM (dailystory_customers_snapshot."field_lastName" COLLATE "C") AND nullif(source."field_lastName", '') IS NOT NULL OR (source.custom_plan COLLATE "C") IS DISTINCT FROM (dailystory_customers_snapshot.custom_plan COLLATE "C") AND nullif(source.custom_plan, '') IS NOT NULL) OR source.customer_id IS NULL AND dailystory_customers_snapshot.customer_id IS NOT NULL AND dailystory_customers_snapshot.absent_since IS NULL)
 SELECT row_number() OVER (ORDER BY differing.departed, differing.customer_id) + CAST(0 AS BIGINT) AS sequence, differing.customer_id, nullif(differing.field_email, '') AS field_email, nullif(differing."field_firstName", '') AS "field_firstName", nullif(differing.field_city, '') AS field_city, nullif(differing."field_lastName", '') AS "field_lastName", nullif(differing.custom_plan, '') AS custom_plan, (differing.field_email COLLATE "C") IS DISTINCT FROM (differing.old_field_email COLLATE "C") AND nullif(differing.field_email, '') IS NOT NULL OR differing.replaces AND nullif(differing.field_email, '') IS NOT NULL AS differs_field_email, (differing."field_firstName" COLLATE "C") IS DISTINCT FROM (differing."old_field_firstName" COLLATE "C") AND nullif(differing."field_firstName", '') IS NOT NULL OR differing.replaces AND nullif(differing."field_firstName", '') IS NOT NULL AS "differs_field_firstName", (differing.field_city COLLATE "C") IS DISTINCT FROM (differing.old_field_city COLLATE "C") AND nullif(differing.field_city, '') IS NOT NULL OR differing.replaces AND nullif(differing.field_city, '') IS NOT NULL AS differs_field_city, (differing."field_lastName" COLLATE "C") IS DISTINCT FROM (differing."old_field_lastName" COLLATE "C") AND nullif(differing."field_lastName", '') IS NOT NULL OR differing.replaces AND nullif(differing."field_lastName", '') IS NOT NULL AS "differs_field_lastName", (differing.custom_plan COLLATE "C") IS DISTINCT FROM (differing.old_custom_plan COLLATE "C") AND nullif(differing.custom_plan, '') IS NOT NULL OR differing.replaces AND nullif(differing.custom_plan, '') IS NOT NULL AS differs_custom_plan, differing.is_new, differing.replaces, differing.departed, differing.returns, differing.old_email, differing.old_mobile 
FROM differing;

CREATE TEMPORARY TABLE dailystory_customers_pending AS WITH differing AS MATERIALIZED 
(SELECT coalesce(source.customer_id, dailystory_customers_snapshot.customer_id) AS customer_id, source.field_email AS field_email, source."field_firstName" AS "field_firstName", source.field_city AS field_city, source.custom_plan AS custom_plan, dailystory_customers_snapshot.field_email AS old_field_email, dailystory_customers_snapshot."field_firstName" AS "old_field_firstName", dailystory_customers_snapshot.field_city AS old_field_city, dailystory_customers_snapshot.custom_plan AS old_custom_plan, dailystory_customers_snapshot.customer_id IS NULL AS is_new, dailystory_customers_snapshot.customer_id IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL OR coalesce(dailystory_customers_snapshot.resend_all, false) AS replaces, source.customer_id IS NULL AND dailystory_customers_snapshot.customer_id IS NOT NULL AS departed, dailystory_customers_snapshot.absent_since IS NOT NULL AS returns, dailystory_customers_snapshot.identity_email AS old_email, dailystory_customers_snapshot.identity_mobile AS old_mobile 
FROM (SELECT source.customer_id AS customer_id, source.email AS field_email, source.first_name AS "field_firstName", source.city AS field_city, source.plan AS custom_plan 
FROM customers AS source) AS source FULL OUTER JOIN dailystory_customers_snapshot ON dailystory_customers_snapshot.customer_id = source.customer_id 
WHERE source.customer_id IS NOT NULL AND CAST(coalesce((hashtextextended(CAST(source.customer_id AS TEXT), 0) & 9223372036854775807) % 2, 0) AS BIGINT) = 1 AND (dailystory_customers_snapshot.customer_id IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL OR coalesce(dailystory_customers_snapshot.resend_all, false) OR (source.field_email COLLATE "C") IS DISTINCT FROM (dailystory_customers_snapshot.field_email COLLATE "C") AND nullif(source.field_email, '') IS NOT NULL OR (source."field_firstName" COLLATE "C") IS DISTINCT FROM (dailystory_customers_snapshot."field_firstName" COLLATE "C") AND nullif(source."field_firstName", '') IS NOT NULL OR (source.field_city COLLATE "C") IS DISTINCT FROM (dailystory_customers_snapshot.field_city COLLATE "C") AND nullif(source.field_city, '') IS NOT NULL OR (source.custom_plan COLLATE "C") IS DISTINCT FROM (dailystory_customers_snapshot.custom_plan COLLATE "C") AND nullif(source.custom_plan, '') IS NOT NULL) OR source.customer_id IS NULL AND dailystory_customers_snapshot.customer_id IS NOT NULL AND dailystory_customers_snapshot.absent_since IS NULL)
 SELECT row_number() OVER (ORDER BY differing.departed, differing.customer_id) + CAST(0 AS BIGINT) AS sequence, differing.customer_id, nullif(differing.field_email, '') AS field_email, nullif(differing."field_firstName", '') AS "field_firstName", nullif(differing.field_city, '') AS field_city, nullif(differing.custom_plan, '') AS custom_plan, (differing.field_email COLLATE "C") IS DISTINCT FROM (differing.old_field_email COLLATE "C") AND nullif(differing.field_email, '') IS NOT NULL OR differing.replaces AND nullif(differing.field_email, '') IS NOT NULL AS differs_field_email, (differing."field_firstName" COLLATE "C") IS DISTINCT FROM (differing."old_field_firstName" COLLATE "C") AND nullif(differing."field_firstName", '') IS NOT NULL OR differing.replaces AND nullif(differing."field_firstName", '') IS NOT NULL AS "differs_field_firstName", (differing.field_city COLLATE "C") IS DISTINCT FROM (differing.old_field_city COLLATE "C") AND nullif(differing.field_city, '') IS NOT NULL OR differing.replaces AND nullif(differing.field_city, '') IS NOT NULL AS differs_field_city, (differing.custom_plan COLLATE "C") IS DISTINCT FROM (differing.old_custom_plan COLLATE "C") AND nullif(differing.custom_plan, '') IS NOT NULL OR differing.replaces AND nullif(differing.custom_plan, '') IS NOT NULL AS differs_custom_plan, differing.is_new, differing.replaces, differing.departed, differing.returns, differing.old_email, differing.old_mobile 
FROM differing;

CREATE TEMPORARY TABLE dailystory_customers_pending AS WITH differing AS MATERIALIZED 
(SELECT coalesce(source.customer_id, dailystory_customers_snapshot.customer_id) AS customer_id, source.field_email AS field_email, source."field_firstName" AS "field_firstName", source.field_city AS field_city, source.custom_plan AS custom_plan, dailystory_customers_snapshot.field_email AS old_field_email, dailystory_customers_snapshot."field_firstName" AS "old_field_firstName", dailystory_customers_snapshot.field_city AS old_field_city, dailystory_customers_snapshot.custom_plan AS old_custom_plan, dailystory_customers_snapshot.customer_id IS NULL AS is_new, dailystory_customers_snapshot.customer_id IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL OR coalesce(dailystory_customers_snapshot.resend_all, false) AS replaces, source.customer_id IS NULL AND dailystory_customers_snapshot.customer_id IS NOT NULL AS departed, dailystory_customers_snapshot.absent_since IS NOT NULL AS returns, dailystory_customers_snapshot.identity_email AS old_email, dailystory_customers_snapshot.identity_mobile AS old_mobile 
FROM (SELECT source.customer_id AS customer_id, source.email AS field_email, source.first_name AS "field_firstName", source.city AS field_city, source.plan AS custom_plan 
FROM dailystory_customers_staged AS source) AS source FULL OUTER JOIN dailystory_customers_snapshot ON dailystory_customers_snapshot.customer_id = source.customer_id 
WHERE source.customer_id IS NOT NULL AND true AND (dailystory_customers_snapshot.customer_id IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL OR coalesce(dailystory_customers_snapshot.resend_all, false) OR (source.field_email COLLATE "C") IS DISTINCT FROM (dailystory_customers_snapshot.field_email COLLATE "C") AND nullif(source.field_email, '') IS NOT NULL OR (source."field_firstName" COLLATE "C") IS DISTINCT FROM (dailystory_customers_snapshot."field_firstName" COLLATE "C") AND nullif(source."field_firstName", '') IS NOT NULL OR (source.field_city COLLATE "C") IS DISTINCT FROM (dailystory_customers_snapshot.field_city COLLATE "C") AND nullif(source.field_city, '') IS NOT NULL OR (source.custom_plan COLLATE "C") IS DISTINCT FROM (dailystory_customers_snapshot.custom_plan COLLATE "C") AND nullif(source.custom_plan, '') IS NOT NULL) OR source.customer_id IS NULL AND dailystory_customers_snapshot.customer_id IS NOT NULL AND dailystory_customers_snapshot.absent_since IS NULL)
 SELECT row_number() OVER (ORDER BY differing.departed, differing.customer_id) + CAST(0 AS BIGINT) AS sequence, differing.customer_id, nullif(differing.field_email, '') AS field_email, nullif(differing."field_firstName", '') AS "field_firstName", nullif(differing.field_city, '') AS field_city, nullif(differing.custom_plan, '') AS custom_plan, (differing.field_email COLLATE "C") IS DISTINCT FROM (differing.old_field_email COLLATE "C") AND nullif(differing.field_email, '') IS NOT NULL OR differing.replaces AND nullif(differing.field_email, '') IS NOT NULL AS differs_field_email, (differing."field_firstName" COLLATE "C") IS DISTINCT FROM (differing."old_field_firstName" COLLATE "C") AND nullif(differing."field_firstName", '') IS NOT NULL OR differing.replaces AND nullif(differing."field_firstName", '') IS NOT NULL AS "differs_field_firstName", (differing.field_city COLLATE "C") IS DISTINCT FROM (differing.old_field_city COLLATE "C") AND nullif(differing.field_city, '') IS NOT NULL OR differing.replaces AND nullif(differing.field_city, '') IS NOT NULL AS differs_field_city, (differing.custom_plan COLLATE "C") IS DISTINCT FROM (differing.old_custom_plan COLLATE "C") AND nullif(differing.custom_plan, '') IS NOT NULL OR differing.replaces AND nullif(differing.custom_plan, '') IS NOT NULL AS differs_custom_plan, differing.is_new, differing.replaces, differing.departed, differing.returns, differing.old_email, differing.old_mobile 
FROM differing;

CREATE TEMPORARY TABLE dailystory_customers_pending AS WITH differing AS MATERIALIZED 
(SELECT coalesce(source.customer_id, dailystory_customers_snapshot.customer_id) AS customer_id, source.field_email AS field_email, source."field_firstName" AS "field_firstName", source.field_city AS field_city, source.custom_plan AS custom_plan, dailystory_customers_snapshot.field_email AS old_field_email, dailystory_customers_snapshot."field_firstName" AS "old_field_firstName", dailystory_customers_snapshot.field_city AS old_field_city, dailystory_customers_snapshot.custom_plan AS old_custom_plan, dailystory_customers_snapshot.customer_id IS NULL AS is_new, dailystory_customers_snapshot.customer_id IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL OR coalesce(dailystory_customers_snapshot.resend_all, false) AS replaces, source.customer_id IS NULL AND dailystory_customers_snapshot.customer_id IS NOT NULL AS departed, dailystory_customers_snapshot.absent_since IS NOT NULL AS returns, dailystory_customers_snapshot.identity_email AS old_email, dailystory_customers_snapshot.identity_mobile AS old_mobile 
FROM dailystory_customers_staged AS source FULL OUTER JOIN dailystory_customers_snapshot ON source.customer_id = dailystory_customers_snapshot.customer_id 
WHERE source.customer_id IS NOT NULL AND CAST(coalesce((hashtextextended(CAST(source.customer_id AS TEXT), 0) & 9223372036854775807) % 2, 0) AS BIGINT) = 1 AND (dailystory_customers_snapshot.customer_id IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL OR coalesce(dailystory_customers_snapshot.resend_all, false) OR (source.field_email COLLATE "C") IS DISTINCT FROM (dailystory_customers_snapshot.field_email COLLATE "C") AND nullif(source.field_email, '') IS NOT NULL OR (source."field_firstName" COLLATE "C") IS DISTINCT FROM (dailystory_customers_snapshot."field_firstName" COLLATE "C") AND nullif(source."field_firstName", '') IS NOT NULL OR (source.field_city COLLATE "C") IS DISTINCT FROM (dailystory_customers_snapshot.field_city COLLATE "C") AND nullif(source.field_city, '') IS NOT NULL OR (source.custom_plan COLLATE "C") IS DISTINCT FROM (dailystory_customers_snapshot.custom_plan COLLATE "C") AND nullif(source.custom_plan, '') IS NOT NULL) OR source.customer_id IS NULL AND dailystory_customers_snapshot.customer_id IS NOT NULL AND dailystory_customers_snapshot.absent_since IS NULL)
 SELECT row_number() OVER (ORDER BY differing.departed, differing.customer_id) + CAST(0 AS BIGINT) AS sequence, differing.customer_id, nullif(differing.field_email, '') AS field_email, nullif(differing."field_firstName", '') AS "field_firstName", nullif(differing.field_city, '') AS field_city, nullif(differing.custom_plan, '') AS custom_plan, (differing.field_email COLLATE "C") IS DISTINCT FROM (differing.old_field_email COLLATE "C") AND nullif(differing.field_email, '') IS NOT NULL OR differing.replaces AND nullif(differing.field_email, '') IS NOT NULL AS differs_field_email, (differing."field_firstName" COLLATE "C") IS DISTINCT FROM (differing."old_field_firstName" COLLATE "C") AND nullif(differing."field_firstName", '') IS NOT NULL OR differing.replaces AND nullif(differing."field_firstName", '') IS NOT NULL AS "differs_field_firstName", (differing.field_city COLLATE "C") IS DISTINCT FROM (differing.old_field_city COLLATE "C") AND nullif(differing.field_city, '') IS NOT NULL OR differing.replaces AND nullif(differing.field_city, '') IS NOT NULL AS differs_field_city, (differing.custom_plan COLLATE "C") IS DISTINCT FROM (differing.old_custom_plan COLLATE "C") AND nullif(differing.custom_plan, '') IS NOT NULL OR differing.replaces AND nullif(differing.custom_plan, '') IS NOT NULL AS differs_custom_plan, differing.is_new, differing.replaces, differing.departed, differing.returns, differing.old_email, differing.old_mobile 
FROM differing;

CREATE TEMPORARY TABLE dailystory_customers_pending AS WITH differing AS MATERIALIZED 
(SELECT coalesce(source.customer_id, dailystory_customers_snapshot.customer_id) AS customer_id, source.field_email AS field_email, source."field_firstName" AS "field_firstName", source.field_city AS field_city, source.custom_plan AS custom_plan, dailystory_customers_snapshot.field_email AS old_field_email, dailystory_customers_snapshot."field_firstName" AS "old_field_firstName", dailystory_customers_snapshot.field_city AS old_field_city, dailystory_customers_snapshot.custom_plan AS old_custom_plan, dailystory_customers_snapshot.customer_id IS NULL AS is_new, dailystory_customers_snapshot.customer_id IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL OR coalesce(dailystory_customers_snapshot.resend_all, false) AS replaces, source.customer_id IS NULL AND dailystory_customers_snapshot.customer_id IS NOT NULL AS departed, dailystory_customers_snapshot.absent_since IS NOT NULL AS returns, dailystory_customers_snapshot.identity_email AS old_email, dailystory_customers_snapshot.identity_mobile AS old_mobile 
FROM dailystory_customers_staged AS source FULL OUTER JOIN dailystory_customers_snapshot ON source.customer_id = dailystory_customers_snapshot.customer_id 
WHERE source.customer_id IS NOT NULL AND true AND (dailystory_customers_snapshot.customer_id IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL OR coalesce(dailystory_customers_snapshot.resend_all, false) OR (source.field_email COLLATE "C") IS DISTINCT FROM (dailystory_customers_snapshot.field_email COLLATE "C") AND nullif(source.field_email, '') IS NOT NULL OR (source."field_firstName" COLLATE "C") IS DISTINCT FROM (dailystory_customers_snapshot."field_firstName" COLLATE "C") AND nullif(source."field_firstName", '') IS NOT NULL OR (source.field_city COLLATE "C") IS DISTINCT FROM (dailystory_customers_snapshot.field_city COLLATE "C") AND nullif(source.field_city, '') IS NOT NULL OR (source.custom_plan COLLATE "C") IS DISTINCT FROM (dailystory_customers_snapshot.custom_plan COLLATE "C") AND nullif(source.custom_plan, '') IS NOT NULL) OR source.customer_id IS NULL AND dailystory_customers_snapshot.customer_id IS NOT NULL AND dailystory_customers_snapshot.absent_since IS NULL)
 SELECT row_number() OVER (ORDER BY differing.departed, differing.customer_id) + CAST(0 AS BIGINT) AS sequence, differing.customer_id, nullif(differing.field_email, '') AS field_email, nullif(differing."field_firstName", '') AS "field_firstName", nullif(differing.field_city, '') AS field_city, nullif(differing.custom_plan, '') AS custom_plan, (differing.field_email COLLATE "C") IS DISTINCT FROM (differing.old_field_email COLLATE "C") AND nullif(differing.field_email, '') IS NOT NULL OR differing.replaces AND nullif(differing.field_email, '') IS NOT NULL AS differs_field_email, (differing."field_firstName" COLLATE "C") IS DISTINCT FROM (differing."old_field_firstName" COLLATE "C") AND nullif(differing."field_firstName", '') IS NOT NULL OR differing.replaces AND nullif(differing."field_firstName", '') IS NOT NULL AS "differs_field_firstName", (differing.field_city COLLATE "C") IS DISTINCT FROM (differing.old_field_city COLLATE "C") AND nullif(differing.field_city, '') IS NOT NULL OR differing.replaces AND nullif(differing.field_city, '') IS NOT NULL AS differs_field_city, (differing.custom_plan COLLATE "C") IS DISTINCT FROM (differing.old_custom_plan COLLATE "C") AND nullif(differing.custom_plan, '') IS NOT NULL OR differing.replaces AND nullif(differing.custom_plan, '') IS NOT NULL AS differs_custom_plan, differing.is_new, differing.replaces, differing.departed, differing.returns, differing.old_email, differing.old_mobile 
FROM differing;

CREATE TEMPORARY TABLE dailystory_customers_pending AS WITH differing AS MATERIALIZED 
(SELECT coalesce(source.customer_id, dailystory_customers_snapshot.customer_id) AS customer_id, source.field_email AS field_email, source."field_firstName" AS "field_firstName", source.field_city AS field_city, source.custom_plan AS custom_plan, dailystory_customers_snapshot.field_email AS old_field_email, dailystory_customers_snapshot."field_firstName" AS "old_field_firstName", dailystory_customers_snapshot.field_city AS old_field_city, dailystory_customers_snapshot.custom_plan AS old_custom_plan, dailystory_customers_snapshot.customer_id IS NULL AS is_new, dailystory_customers_snapshot.customer_id IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL OR coalesce(dailystory_customers_snapshot.resend_all, false) AS replaces, source.customer_id IS NULL AND dailystory_customers_snapshot.customer_id IS NOT NULL AS departed, dailystory_customers_snapshot.absent_since IS NOT NULL AS returns, dailystory_customers_snapshot.identity_email AS old_email, dailystory_customers_snapshot.identity_mobile AS old_mobile, dailystory_customers_snapshot.unknown_fields AS unknown_fields 
FROM (SELECT source.customer_id AS customer_id, source.email AS field_email, source.first_name AS "field_firstName", source.city AS field_city, source.plan AS custom_plan 
FROM customers AS source) AS source FULL OUTER JOIN dailystory_customers_snapshot ON dailystory_customers_snapshot.customer_id = source.customer_id 
WHERE source.customer_id IS NOT NULL AND true AND (dailystory_customers_snapshot.customer_id IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL OR coalesce(dailystory_customers_snapshot.resend_all, false) OR (source.field_email COLLATE "C") IS DISTINCT FROM (dailystory_customers_snapshot.field_email COLLATE "C") AND nullif(source.field_email, '') IS NOT NULL OR (source."field_firstName" COLLATE "C") IS DISTINCT FROM (dailystory_customers_snapshot."field_firstName" COLLATE "C") AND nullif(source."field_firstName", '') IS NOT NULL OR (source.field_city COLLATE "C") IS DISTINCT FROM (dailystory_customers_snapshot.field_city COLLATE "C") AND nullif(source.field_city, '') IS DISTINCT FROM dailystory_customers_snapshot.field_city OR (source.custom_plan COLLATE "C") IS DISTINCT FROM (dailystory_customers_snapshot.custom_plan COLLATE "C") AND nullif(source.custom_plan, '') IS NOT NULL OR dailystory_customers_snapshot.unknown_fields IS NOT NULL AND nullif(source.field_city, '') IS NULL AND coalesce((dailystory_customers_snapshot.unknown_fields LIKE '%' || '"field/_city"' || '%' ESCAPE '/'), false)) OR source.customer_id IS NULL AND dailystory_customers_snapshot.customer_id IS NOT NULL AND (dailystory_customers_snapshot.absent_since IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL AND dailystory_customers_snapshot.absent_action IN ('shared', 'in_doubt')))
 SELECT row_number() OVER (ORDER BY differing.departed, differing.customer_id) + CAST(0 AS BIGINT) AS sequence, differing.customer_id, nullif(differing.field_email, '') AS field_email, nullif(differing."field_firstName", '') AS "field_firstName", nullif(differing.field_city, '') AS field_city, nullif(differing.custom_plan, '') AS custom_plan, (differing.field_email COLLATE "C") IS DISTINCT FROM (differing.old_field_email COLLATE "C") AND nullif(differing.field_email, '') IS NOT NULL OR differing.replaces AND nullif(differing.field_email, '') IS NOT NULL AS differs_field_email, (differing."field_firstName" COLLATE "C") IS DISTINCT FROM (differing."old_field_firstName" COLLATE "C") AND nullif(differing."field_firstName", '') IS NOT NULL OR differing.replaces AND nullif(differing."field_firstName", '') IS NOT NULL AS "differs_field_firstName", (differing.field_city COLLATE "C") IS DISTINCT FROM (differing.old_field_city COLLATE "C") AND nullif(differing.field_city, '') IS DISTINCT FROM differing.old_field_city OR differing.unknown_fields IS NOT NULL AND nullif(differing.field_city, '') IS NULL AND coalesce((differing.unknown_fields LIKE '%' || '"field/_city"' || '%' ESCAPE '/'), false) OR differing.replaces AND nullif(differing.field_city, '') IS NOT NULL AS differs_field_city, (differing.custom_plan COLLATE "C") IS DISTINCT FROM (differing.old_custom_plan COLLATE "C") AND nullif(differing.custom_plan, '') IS NOT NULL OR differing.replaces AND nullif(differing.custom_plan, '') IS NOT NULL AS differs_custom_plan, differing.is_new, differing.replaces, differing.departed, differing.returns, differing.old_email, differing.old_mobile 
FROM differing;

CREATE TEMPORARY TABLE dailystory_customers_pending AS WITH differing AS MATERIALIZED 
(SELECT coalesce(source.customer_id, dailystory_customers_snapshot.customer_id) AS customer_id, source.field_email AS field_email, source."field_firstName" AS "field_firstName", source.field_city AS field_city, source.custom_plan AS custom_plan, dailystory_customers_snapshot.field_email AS old_field_email, dailystory_customers_snapshot."field_firstName" AS "old_field_firstName", dailystory_customers_snapshot.field_city AS old_field_city, dailystory_customers_snapshot.custom_plan AS old_custom_plan, dailystory_customers_snapshot.customer_id IS NULL AS is_new, dailystory_customers_snapshot.customer_id IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL OR coalesce(dailystory_customers_snapshot.resend_all, false) AS replaces, source.customer_id IS NULL AND dailystory_customers_snapshot.customer_id IS NOT NULL AS departed, dailystory_customers_snapshot.absent_since IS NOT NULL AS returns, dailystory_customers_snapshot.identity_email AS old_email, dailystory_customers_snapshot.identity_mobile AS old_mobile, dailystory_customers_snapshot.unknown_fields AS unknown_fields 
FROM dailystory_customers_staged AS source FULL OUTER JOIN dailystory_customers_snapshot ON source.customer_id = dailystory_customers_snapshot.customer_id 
WHERE source.customer_id IS NOT NULL AND true AND (dailystory_customers_snapshot.customer_id IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL OR coalesce(dailystory_customers_snapshot.resend_all, false) OR (source.field_email COLLATE "C") IS DISTINCT FROM (dailystory_customers_snapshot.field_email COLLATE "C") AND nullif(source.field_email, '') IS NOT NULL OR (source."field_firstName" COLLATE "C") IS DISTINCT FROM (dailystory_customers_snapshot."field_firstName" COLLATE "C") AND nullif(source."field_firstName", '') IS NOT NULL OR (source.field_city COLLATE "C") IS DISTINCT FROM (dailystory_customers_snapshot.field_city COLLATE "C") AND nullif(source.field_city, '') IS DISTINCT FROM dailystory_customers_snapshot.field_city OR (source.custom_plan COLLATE "C") IS DISTINCT FROM (dailystory_customers_snapshot.custom_plan COLLATE "C") AND nullif(source.custom_plan, '') IS NOT NULL OR dailystory_customers_snapshot.unknown_fields IS NOT NULL AND nullif(source.field_city, '') IS NULL AND coalesce((dailystory_customers_snapshot.unknown_fields LIKE '%' || '"field/_city"' || '%' ESCAPE '/'), false)) OR source.customer_id IS NULL AND dailystory_customers_snapshot.customer_id IS NOT NULL AND (dailystory_customers_snapshot.absent_since IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL AND dailystory_customers_snapshot.absent_action IN ('shared', 'in_doubt')))
 SELECT row_number() OVER (ORDER BY differing.departed, differing.customer_id) + CAST(0 AS BIGINT) AS sequence, differing.customer_id, nullif(differing.field_email, '') AS field_email, nullif(differing."field_firstName", '') AS "field_firstName", nullif(differing.field_city, '') AS field_city, nullif(differing.custom_plan, '') AS custom_plan, (differing.field_email COLLATE "C") IS DISTINCT FROM (differing.old_field_email COLLATE "C") AND nullif(differing.field_email, '') IS NOT NULL OR differing.replaces AND nullif(differing.field_email, '') IS NOT NULL AS differs_field_email, (differing."field_firstName" COLLATE "C") IS DISTINCT FROM (differing."old_field_firstName" COLLATE "C") AND nullif(differing."field_firstName", '') IS NOT NULL OR differing.replaces AND nullif(differing."field_firstName", '') IS NOT NULL AS "differs_field_firstName", (differing.field_city COLLATE "C") IS DISTINCT FROM (differing.old_field_city COLLATE "C") AND nullif(differing.field_city, '') IS DISTINCT FROM differing.old_field_city OR differing.unknown_fields IS NOT NULL AND nullif(differing.field_city, '') IS NULL AND coalesce((differing.unknown_fields LIKE '%' || '"field/_city"' || '%' ESCAPE '/'), false) OR differing.replaces AND nullif(differing.field_city, '') IS NOT NULL AS differs_field_city, (differing.custom_plan COLLATE "C") IS DISTINCT FROM (differing.old_custom_plan COLLATE "C") AND nullif(differing.custom_plan, '') IS NOT NULL OR differing.replaces AND nullif(differing.custom_plan, '') IS NOT NULL AS differs_custom_plan, differing.is_new, differing.replaces, differing.departed, differing.returns, differing.old_email, differing.old_mobile 
FROM differing;

CREATE TEMPORARY TABLE dailystory_customers_pending AS WITH differing AS MATERIALIZED 
(SELECT source.customer_id AS customer_id, source.field_email AS field_email, source."field_firstName" AS "field_firstName", source.field_city AS field_city, source.custom_plan AS custom_plan, dailystory_customers_snapshot.field_email AS old_field_email, dailystory_customers_snapshot."field_firstName" AS "old_field_firstName", dailystory_customers_snapshot.field_city AS old_field_city, dailystory_customers_snapshot.custom_plan AS old_custom_plan, dailystory_customers_snapshot.customer_id IS NULL AS is_new, dailystory_customers_snapshot.customer_id IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL OR coalesce(dailystory_customers_snapshot.resend_all, false) AS replaces, false AS departed, dailystory_customers_snapshot.absent_since IS NOT NULL AS returns, dailystory_customers_snapshot.identity_email AS old_email, dailystory_customers_snapshot.identity_mobile AS old_mobile, dailystory_customers_snapshot.unknown_fields AS unknown_fields 
FROM (SELECT source.customer_id AS customer_id, source.email AS field_email, source.first_name AS "field_firstName", source.city AS field_city, source.plan AS custom_plan 
FROM customers AS source) AS source LEFT OUTER JOIN dailystory_customers_snapshot ON dailystory_customers_snapshot.customer_id = source.customer_id 
WHERE source.customer_id IS NOT NULL AND (EXISTS (SELECT * 
FROM dailystory_customers_rejections 
WHERE dailystory_customers_rejections.customer_id = source.customer_id)) AND (dailystory_customers_snapshot.customer_id IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL OR coalesce(dailystory_customers_snapshot.resend_all, false) OR (source.field_email COLLATE "C") IS DISTINCT FROM (dailystory_customers_snapshot.field_email COLLATE "C") AND nullif(source.field_email, '') IS NOT NULL OR (source."field_firstName" COLLATE "C") IS DISTINCT FROM (dailystory_customers_snapshot."field_firstName" COLLATE "C") AND nullif(source."field_firstName", '') IS NOT NULL OR (source.field_city COLLATE "C") IS DISTINCT FROM (dailystory_customers_snapshot.field_city COLLATE "C") AND nullif(source.field_city, '') IS DISTINCT FROM dailystory_customers_snapshot.field_city OR (source.custom_plan COLLATE "C") IS DISTINCT FROM (dailystory_customers_snapshot.custom_plan COLLATE "C") AND nullif(source.custom_plan, '') IS NOT NULL OR dailystory_customers_snapshot.unknown_fields IS NOT NULL AND nullif(source.field_city, '') IS NULL AND coalesce((dailystory_customers_snapshot.unknown_fields LIKE '%' || '"field/_city"' || '%' ESCAPE '/'), false)))
 SELECT row_number() OVER (ORDER BY differing.departed, differing.customer_id) + CAST(0 AS BIGINT) AS sequence, differing.customer_id, nullif(differing.field_email, '') AS field_email, nullif(differing."field_firstName", '') AS "field_firstName", nullif(differing.field_city, '') AS field_city, nullif(differing.custom_plan, '') AS custom_plan, (differing.field_email COLLATE "C") IS DISTINCT FROM (differing.old_field_email COLLATE "C") AND nullif(differing.field_email, '') IS NOT NULL OR differing.replaces AND nullif(differing.field_email, '') IS NOT NULL AS differs_field_email, (differing."field_firstName" COLLATE "C") IS DISTINCT FROM (differing."old_field_firstName" COLLATE "C") AND nullif(differing."field_firstName", '') IS NOT NULL OR differing.replaces AND nullif(differing."field_firstName", '') IS NOT NULL AS "differs_field_firstName", (differing.field_city COLLATE "C") IS DISTINCT FROM (differing.old_field_city COLLATE "C") AND nullif(differing.field_city, '') IS DISTINCT FROM differing.old_field_city OR differing.unknown_fields IS NOT NULL AND nullif(differing.field_city, '') IS NULL AND coalesce((differing.unknown_fields LIKE '%' || '"field/_city"' || '%' ESCAPE '/'), false) OR differing.replaces AND nullif(differing.field_city, '') IS NOT NULL AS differs_field_city, (differing.custom_plan COLLATE "C") IS DISTINCT FROM (differing.old_custom_plan COLLATE "C") AND nullif(differing.custom_plan, '') IS NOT NULL OR differing.replaces AND nullif(differing.custom_plan, '') IS NOT NULL AS differs_custom_plan, differing.is_new, differing.replaces, differing.departed, differing.returns, differing.old_email, differing.old_mobile 
FROM differing;

CREATE TEMPORARY TABLE dailystory_customers_pending AS WITH differing AS MATERIALIZED 
(SELECT source.customer_id AS customer_id, source.field_email AS field_email, source."field_firstName" AS "field_firstName", source.field_city AS field_city, source.custom_plan AS custom_plan, dailystory_customers_snapshot.field_email AS old_field_email, dailystory_customers_snapshot."field_firstName" AS "old_field_firstName", dailystory_customers_snapshot.field_city AS old_field_city, dailystory_customers_snapshot.custom_plan AS old_custom_plan, dailystory_customers_snapshot.customer_id IS NULL AS is_new, dailystory_customers_snapshot.customer_id IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL OR coalesce(dailystory_customers_snapshot.resend_all, false) AS replaces, false AS departed, dailystory_customers_snapshot.absent_since IS NOT NULL AS returns, dailystory_customers_snapshot.identity_email AS old_email, dailystory_customers_snapshot.identity_mobile AS old_mobile, dailystory_customers_snapshot.unknown_fields AS unknown_fields 
FROM (SELECT source.customer_id AS customer_id, source.email AS field_email, source.first_name AS "field_firstName", source.city AS field_city, source.plan AS custom_plan 
FROM customers AS source) AS source LEFT OUTER JOIN dailystory_customers_snapshot ON dailystory_customers_snapshot.customer_id = source.customer_id 
WHERE source.customer_id IS NOT NULL AND source.customer_id = 5 AND (dailystory_customers_snapshot.customer_id IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL OR coalesce(dailystory_customers_snapshot.resend_all, false) OR (source.field_email COLLATE "C") IS DISTINCT FROM (dailystory_customers_snapshot.field_email COLLATE "C") AND nullif(source.field_email, '') IS NOT NULL OR (source."field_firstName" COLLATE "C") IS DISTINCT FROM (dailystory_customers_snapshot."field_firstName" COLLATE "C") AND nullif(source."field_firstName", '') IS NOT NULL OR (source.field_city COLLATE "C") IS DISTINCT FROM (dailystory_customers_snapshot.field_city COLLATE "C") AND nullif(source.field_city, '') IS DISTINCT FROM dailystory_customers_snapshot.field_city OR (source.custom_plan COLLATE "C") IS DISTINCT FROM (dailystory_customers_snapshot.custom_plan COLLATE "C") AND nullif(source.custom_plan, '') IS NOT NULL OR dailystory_customers_snapshot.unknown_fields IS NOT NULL AND nullif(source.field_city, '') IS NULL AND coalesce((dailystory_customers_snapshot.unknown_fields LIKE '%' || '"field/_city"' || '%' ESCAPE '/'), false)))
 SELECT row_number() OVER (ORDER BY differing.departed, differing.customer_id) + CAST(0 AS BIGINT) AS sequence, differing.customer_id, nullif(differing.field_email, '') AS field_email, nullif(differing."field_firstName", '') AS "field_firstName", nullif(differing.field_city, '') AS field_city, nullif(differing.custom_plan, '') AS custom_plan, (differing.field_email COLLATE "C") IS DISTINCT FROM (differing.old_field_email COLLATE "C") AND nullif(differing.field_email, '') IS NOT NULL OR differing.replaces AND nullif(differing.field_email, '') IS NOT NULL AS differs_field_email, (differing."field_firstName" COLLATE "C") IS DISTINCT FROM (differing."old_field_firstName" COLLATE "C") AND nullif(differing."field_firstName", '') IS NOT NULL OR differing.replaces AND nullif(differing."field_firstName", '') IS NOT NULL AS "differs_field_firstName", (differing.field_city COLLATE "C") IS DISTINCT FROM (differing.old_field_city COLLATE "C") AND nullif(differing.field_city, '') IS DISTINCT FROM differing.old_field_city OR differing.unknown_fields IS NOT NULL AND nullif(differing.field_city, '') IS NULL AND coalesce((differing.unknown_fields LIKE '%' || '"field/_city"' || '%' ESCAPE '/'), false) OR differing.replaces AND nullif(differing.field_city, '') IS NOT NULL AS differs_field_city, (differing.custom_plan COLLATE "C") IS DISTINCT FROM (differing.old_custom_plan COLLATE "C") AND nullif(differing.custom_plan, '') IS NOT NULL OR differing.replaces AND nullif(differing.custom_plan, '') IS NOT NULL AS differs_custom_plan, differing.is_new, differing.replaces, differing.departed, differing.returns, differing.old_email, differing.old_mobile 
FROM differing;

CREATE TEMPORARY TABLE dailystory_customers_pending AS WITH differing AS MATERIALIZED 
(SELECT source.customer_id AS customer_id, source.field_email AS field_email, source."field_firstName" AS "field_firstName", source.field_city AS field_city, source.custom_plan AS custom_plan, dailystory_customers_snapshot.field_email AS old_field_email, dailystory_customers_snapshot."field_firstName" AS "old_field_firstName", dailystory_customers_snapshot.field_city AS old_field_city, dailystory_customers_snapshot.custom_plan AS old_custom_plan, dailystory_customers_snapshot.customer_id IS NULL AS is_new, dailystory_customers_snapshot.customer_id IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL OR coalesce(dailystory_customers_snapshot.resend_all, false) AS replaces, false AS departed, dailystory_customers_snapshot.absent_since IS NOT NULL AS returns, dailystory_customers_snapshot.identity_email AS old_email, dailystory_customers_snapshot.identity_mobile AS old_mobile, dailystory_customers_snapshot.unknown_fields AS unknown_fields 
FROM dailystory_customers_staged AS source LEFT OUTER JOIN dailystory_customers_snapshot ON source.customer_id = dailystory_customers_snapshot.customer_id 
WHERE source.customer_id IS NOT NULL AND (EXISTS (SELECT * 
FROM dailystory_customers_rejections 
WHERE dailystory_customers_rejections.customer_id = source.customer_id)) AND (dailystory_customers_snapshot.customer_id IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL OR coalesce(dailystory_customers_snapshot.resend_all, false) OR (source.field_email COLLATE "C") IS DISTINCT FROM (dailystory_customers_snapshot.field_email COLLATE "C") AND nullif(source.field_email, '') IS NOT NULL OR (source."field_firstName" COLLATE "C") IS DISTINCT FROM (dailystory_customers_snapshot."field_firstName" COLLATE "C") AND nullif(source."field_firstName", '') IS NOT NULL OR (source.field_city COLLATE "C") IS DISTINCT FROM (dailystory_customers_snapshot.field_city COLLATE "C") AND nullif(source.field_city, '') IS DISTINCT FROM dailystory_customers_snapshot.field_city OR (source.custom_plan COLLATE "C") IS DISTINCT FROM (dailystory_customers_snapshot.custom_plan COLLATE "C") AND nullif(source.custom_plan, '') IS NOT NULL OR dailystory_customers_snapshot.unknown_fields IS NOT NULL AND nullif(source.field_city, '') IS NULL AND coalesce((dailystory_customers_snapshot.unknown_fields LIKE '%' || '"field/_city"' || '%' ESCAPE '/'), false)))
 SELECT row_number() OVER (ORDER BY differing.departed, differing.customer_id) + CAST(0 AS BIGINT) AS sequence, differing.customer_id, nullif(differing.field_email, '') AS field_email, nullif(differing."field_firstName", '') AS "field_firstName", nullif(differing.field_city, '') AS field_city, nullif(differing.custom_plan, '') AS custom_plan, (differing.field_email COLLATE "C") IS DISTINCT FROM (differing.old_field_email COLLATE "C") AND nullif(differing.field_email, '') IS NOT NULL OR differing.replaces AND nullif(differing.field_email, '') IS NOT NULL AS differs_field_email, (differing."field_firstName" COLLATE "C") IS DISTINCT FROM (differing."old_field_firstName" COLLATE "C") AND nullif(differing."field_firstName", '') IS NOT NULL OR differing.replaces AND nullif(differing."field_firstName", '') IS NOT NULL AS "differs_field_firstName", (differing.field_city COLLATE "C") IS DISTINCT FROM (differing.old_field_city COLLATE "C") AND nullif(differing.field_city, '') IS DISTINCT FROM differing.old_field_city OR differing.unknown_fields IS NOT NULL AND nullif(differing.field_city, '') IS NULL AND coalesce((differing.unknown_fields LIKE '%' || '"field/_city"' || '%' ESCAPE '/'), false) OR differing.replaces AND nullif(differing.field_city, '') IS NOT NULL AS differs_field_city, (differing.custom_plan COLLATE "C") IS DISTINCT FROM (differing.old_custom_plan COLLATE "C") AND nullif(differing.custom_plan, '') IS NOT NULL OR differing.replaces AND nullif(differing.custom_plan, '') IS NOT NULL AS differs_custom_plan, differing.is_new, differing.replaces, differing.departed, differing.returns, differing.old_email, differing.old_mobile 
FROM differing;

CREATE TEMPORARY TABLE dailystory_customers_pending AS WITH differing AS MATERIALIZED 
(SELECT source.customer_id AS customer_id, source.field_email AS field_email, source."field_firstName" AS "field_firstName", source.field_city AS field_city, source.custom_plan AS custom_plan, dailystory_customers_snapshot.field_email AS old_field_email, dailystory_customers_snapshot."field_firstName" AS "old_field_firstName", dailystory_customers_snapshot.field_city AS old_field_city, dailystory_customers_snapshot.custom_plan AS old_custom_plan, dailystory_customers_snapshot.customer_id IS NULL AS is_new, dailystory_customers_snapshot.customer_id IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL OR coalesce(dailystory_customers_snapshot.resend_all, false) AS replaces, false AS departed, dailystory_customers_snapshot.absent_since IS NOT NULL AS returns, dailystory_customers_snapshot.identity_email AS old_email, dailystory_customers_snapshot.identity_mobile AS old_mobile, dailystory_customers_snapshot.unknown_fields AS unknown_fields 
FROM dailystory_customers_staged AS source LEFT OUTER JOIN dailystory_customers_snapshot ON source.customer_id = dailystory_customers_snapshot.customer_id 
WHERE source.customer_id IS NOT NULL AND source.customer_id = 5 AND (dailystory_customers_snapshot.customer_id IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL OR coalesce(dailystory_customers_snapshot.resend_all, false) OR (source.field_email COLLATE "C") IS DISTINCT FROM (dailystory_customers_snapshot.field_email COLLATE "C") AND nullif(source.field_email, '') IS NOT NULL OR (source."field_firstName" COLLATE "C") IS DISTINCT FROM (dailystory_customers_snapshot."field_firstName" COLLATE "C") AND nullif(source."field_firstName", '') IS NOT NULL OR (source.field_city COLLATE "C") IS DISTINCT FROM (dailystory_customers_snapshot.field_city COLLATE "C") AND nullif(source.field_city, '') IS DISTINCT FROM dailystory_customers_snapshot.field_city OR (source.custom_plan COLLATE "C") IS DISTINCT FROM (dailystory_customers_snapshot.custom_plan COLLATE "C") AND nullif(source.custom_plan, '') IS NOT NULL OR dailystory_customers_snapshot.unknown_fields IS NOT NULL AND nullif(source.field_city, '') IS NULL AND coalesce((dailystory_customers_snapshot.unknown_fields LIKE '%' || '"field/_city"' || '%' ESCAPE '/'), false)))
 SELECT row_number() OVER (ORDER BY differing.departed, differing.customer_id) + CAST(0 AS BIGINT) AS sequence, differing.customer_id, nullif(differing.field_email, '') AS field_email, nullif(differing."field_firstName", '') AS "field_firstName", nullif(differing.field_city, '') AS field_city, nullif(differing.custom_plan, '') AS custom_plan, (differing.field_email COLLATE "C") IS DISTINCT FROM (differing.old_field_email COLLATE "C") AND nullif(differing.field_email, '') IS NOT NULL OR differing.replaces AND nullif(differing.field_email, '') IS NOT NULL AS differs_field_email, (differing."field_firstName" COLLATE "C") IS DISTINCT FROM (differing."old_field_firstName" COLLATE "C") AND nullif(differing."field_firstName", '') IS NOT NULL OR differing.replaces AND nullif(differing."field_firstName", '') IS NOT NULL AS "differs_field_firstName", (differing.field_city COLLATE "C") IS DISTINCT FROM (differing.old_field_city COLLATE "C") AND nullif(differing.field_city, '') IS DISTINCT FROM differing.old_field_city OR differing.unknown_fields IS NOT NULL AND nullif(differing.field_city, '') IS NULL AND coalesce((differing.unknown_fields LIKE '%' || '"field/_city"' || '%' ESCAPE '/'), false) OR differing.replaces AND nullif(differing.field_city, '') IS NOT NULL AS differs_field_city, (differing.custom_plan COLLATE "C") IS DISTINCT FROM (differing.old_custom_plan COLLATE "C") AND nullif(differing.custom_plan, '') IS NOT NULL OR differing.replaces AND nullif(differing.custom_plan, '') IS NOT NULL AS differs_custom_plan, differing.is_new, differing.replaces, differing.departed, differing.returns, differing.old_email, differing.old_mobile 
FROM differing;

CREATE TEMPORARY TABLE dailystory_customers_pending AS WITH differing AS MATERIALIZED 
(SELECT source.customer_id AS customer_id, source.field_email AS field_email, source."field_firstName" AS "field_firstName", source.field_city AS field_city, source.custom_plan AS custom_plan, dailystory_customers_snapshot.field_email AS old_field_email, dailystory_customers_snapshot."field_firstName" AS "old_field_firstName", dailystory_customers_snapshot.field_city AS old_field_city, dailystory_customers_snapshot.custom_plan AS old_custom_plan, dailystory_customers_snapshot.customer_id IS NULL AS is_new, true AS replaces, false AS departed, dailystory_customers_snapshot.absent_since IS NOT NULL AS returns, dailystory_customers_snapshot.identity_email AS old_email, dailystory_customers_snapshot.identity_mobile AS old_mobile, dailystory_customers_snapshot.unknown_fields AS unknown_fields 
FROM (SELECT source.customer_id AS customer_id, source.email AS field_email, source.first_name AS "field_firstName", source.city AS field_city, source.plan AS custom_plan 
FROM customers AS source) AS source LEFT OUTER JOIN dailystory_customers_snapshot ON dailystory_customers_snapshot.customer_id = source.customer_id 
WHERE source.customer_id IS NOT NULL AND true)
 SELECT row_number() OVER (ORDER BY differing.departed, differing.customer_id) + CAST(0 AS BIGINT) AS sequence, differing.customer_id, nullif(differing.field_email, '') AS field_email, nullif(differing."field_firstName", '') AS "field_firstName", nullif(differing.field_city, '') AS field_city, nullif(differing.custom_plan, '') AS custom_plan, (differing.field_email COLLATE "C") IS DISTINCT FROM (differing.old_field_email COLLATE "C") AND nullif(differing.field_email, '') IS NOT NULL OR differing.replaces AND nullif(differing.field_email, '') IS NOT NULL AS differs_field_email, (differing."field_firstName" COLLATE "C") IS DISTINCT FROM (differing."old_field_firstName" COLLATE "C") AND nullif(differing."field_firstName", '') IS NOT NULL OR differing.replaces AND nullif(differing."field_firstName", '') IS NOT NULL AS "differs_field_firstName", (differing.field_city COLLATE "C") IS DISTINCT FROM (differing.old_field_city COLLATE "C") AND nullif(differing.field_city, '') IS DISTINCT FROM differing.old_field_city OR differing.unknown_fields IS NOT NULL AND nullif(differing.field_city, '') IS NULL AND coalesce((differing.unknown_fields LIKE '%' || '"field/_city"' || '%' ESCAPE '/'), false) OR differing.replaces AND nullif(differing.field_city, '') IS NOT NULL AS differs_field_city, (differing.custom_plan COLLATE "C") IS DISTINCT FROM (differing.old_custom_plan COLLATE "C") AND nullif(differing.custom_plan, '') IS NOT NULL OR differing.replaces AND nullif(differing.custom_plan, '') IS NOT NULL AS differs_custom_plan, differing.is_new, differing.replaces, differing.departed, differing.returns, differing.old_email, differing.old_mobile 
FROM differing;

CREATE TEMPORARY TABLE dailystory_customers_pending AS WITH differing AS MATERIALIZED 
(SELECT source.customer_id AS customer_id, source.field_email AS field_email, source."field_firstName" AS "field_firstName", source.field_city AS field_city, source.custom_plan AS custom_plan, dailystory_customers_snapshot.field_email AS old_field_email, dailystory_customers_snapshot."field_firstName" AS "old_field_firstName", dailystory_customers_snapshot.field_city AS old_field_city, dailystory_customers_snapshot.custom_plan AS old_custom_plan, dailystory_customers_snapshot.customer_id IS NULL AS is_new, true AS replaces, false AS departed, dailystory_customers_snapshot.absent_since IS NOT NULL AS returns, dailystory_customers_snapshot.identity_email AS old_email, dailystory_customers_snapshot.identity_mobile AS old_mobile, dailystory_customers_snapshot.unknown_fields AS unknown_fields 
FROM dailystory_customers_staged AS source LEFT OUTER JOIN dailystory_customers_snapshot ON source.customer_id = dailystory_customers_snapshot.customer_id 
WHERE source.customer_id IS NOT NULL AND true)
 SELECT row_number() OVER (ORDER BY differing.departed, differing.customer_id) + CAST(0 AS BIGINT) AS sequence, differing.customer_id, nullif(differing.field_email, '') AS field_email, nullif(differing."field_firstName", '') AS "field_firstName", nullif(differing.field_city, '') AS field_city, nullif(differing.custom_plan, '') AS custom_plan, (differing.field_email COLLATE "C") IS DISTINCT FROM (differing.old_field_email COLLATE "C") AND nullif(differing.field_email, '') IS NOT NULL OR differing.replaces AND nullif(differing.field_email, '') IS NOT NULL AS differs_field_email, (differing."field_firstName" COLLATE "C") IS DISTINCT FROM (differing."old_field_firstName" COLLATE "C") AND nullif(differing."field_firstName", '') IS NOT NULL OR differing.replaces AND nullif(differing."field_firstName", '') IS NOT NULL AS "differs_field_firstName", (differing.field_city COLLATE "C") IS DISTINCT FROM (differing.old_field_city COLLATE "C") AND nullif(differing.field_city, '') IS DISTINCT FROM differing.old_field_city OR differing.unknown_fields IS NOT NULL AND nullif(differing.field_city, '') IS NULL AND coalesce((differing.unknown_fields LIKE '%' || '"field/_city"' || '%' ESCAPE '/'), false) OR differing.replaces AND nullif(differing.field_city, '') IS NOT NULL AS differs_field_city, (differing.custom_plan COLLATE "C") IS DISTINCT FROM (differing.old_custom_plan COLLATE "C") AND nullif(differing.custom_plan, '') IS NOT NULL OR differing.replaces AND nullif(differing.custom_plan, '') IS NOT NULL AS differs_custom_plan, differing.is_new, differing.replaces, differing.departed, differing.returns, differing.old_email, differing.old_mobile 
FROM differing;

CREATE TEMPORARY TABLE dailystory_customers_staged (
	customer_id BIGINT, 
	field_email TEXT, 
	"field_firstName" TEXT, 
	field_city TEXT, 
	"field_lastName" TEXT, 
	custom_plan TEXT
);

CREATE TEMPORARY TABLE dailystory_customers_staged (
	customer_id BIGINT, 
	field_email TEXT, 
	"field_firstName" TEXT, 
	field_city TEXT, 
	custom_plan TEXT
);

CREATE TEMPORARY TABLE dailystory_customers_staged AS SELECT source.customer_id, source.email, source.first_name, source.city, source.plan 
FROM (select * from customers
) AS source;

DELETE FROM dailystory_customers_answers;

DELETE FROM dailystory_customers_changes WHERE (dailystory_customers_changes.plan_id NOT IN ($1::VARCHAR));

DELETE FROM dailystory_customers_intents WHERE dailystory_customers_intents.customer_id IN (SELECT dailystory_customers_changes.customer_id 
FROM dailystory_customers_changes JOIN dailystory_customers_answers ON dailystory_customers_answers.sequence = dailystory_customers_changes.sequence 
WHERE dailystory_customers_changes.plan_id = $1::VARCHAR AND dailystory_customers_changes.sequence IN (SELECT dailystory_customers_answers.sequence 
FROM dailystory_customers_answers) AND dailystory_customers_answers.outcome IN ($1::VARCHAR));

DELETE FROM dailystory_customers_pending WHERE EXISTS (SELECT * 
FROM dailystory_customers_duplicates 
WHERE dailystory_customers_duplicates.customer_id = dailystory_customers_pending.customer_id);

DELETE FROM dailystory_customers_rejections WHERE ((EXISTS (SELECT $1::INTEGER AS anon_1 
FROM (SELECT source.customer_id AS customer_id, source.email AS field_email, source.first_name AS "field_firstName", source.city AS field_city, source.plan AS custom_plan 
FROM customers AS source) AS source 
WHERE dailystory_customers_rejections.customer_id = source.customer_id AND (EXISTS (SELECT * 
FROM dailystory_customers_rejections 
WHERE dailystory_customers_rejections.customer_id = source.customer_id)))) OR dailystory_customers_rejections.customer_id IS NOT NULL AND NOT (EXISTS (SELECT $1::INTEGER AS anon_1 
FROM (SELECT source.customer_id AS customer_id, source.email AS field_email, source.first_name AS "field_firstName", source.city AS field_city, source.plan AS custom_plan 
FROM customers AS source) AS source 
WHERE dailystory_customers_rejections.customer_id = source.customer_id))) AND ((dailystory_customers_rejections.reason NOT IN ($1::VARCHAR)) AND dailystory_customers_rejections.last_seen_at < $1::TIMESTAMP WITHOUT TIME ZONE OR dailystory_customers_rejections.reason IN ($1::VARCHAR) AND NOT (EXISTS (SELECT dailystory_customers_pending.sequence 
FROM dailystory_customers_pending 
WHERE dailystory_customers_rejections.customer_id = dailystory_customers_pending.customer_id AND NOT dailystory_customers_pending.departed)));

DELETE FROM dailystory_customers_rejections WHERE ((EXISTS (SELECT $1::INTEGER AS anon_1 
FROM (SELECT source.customer_id AS customer_id, source.email AS field_email, source.first_name AS "field_firstName", source.city AS field_city, source.plan AS custom_plan 
FROM customers AS source) AS source 
WHERE dailystory_customers_rejections.customer_id = source.customer_id AND CAST(coalesce((hashtextextended(CAST(source.customer_id AS TEXT), $1::INTEGER) & 9223372036854775807) % 2, $1::INTEGER) AS BIGINT) = $1::BIGINT)) OR NOT (EXISTS (SELECT $1::INTEGER AS anon_1 
FROM (SELECT source.customer_id AS customer_id, source.email AS field_email, source.first_name AS "field_firstName", source.city AS field_city, source.plan AS custom_plan 
FROM customers AS source) AS source 
WHERE dailystory_customers_rejections.customer_id = source.customer_id))) AND ((dailystory_customers_rejections.reason NOT IN ($1::VARCHAR)) AND dailystory_customers_rejections.last_seen_at < $1::TIMESTAMP WITHOUT TIME ZONE OR dailystory_customers_rejections.reason IN ($1::VARCHAR) AND NOT (EXISTS (SELECT dailystory_customers_pending.sequence 
FROM dailystory_customers_pending 
WHERE dailystory_customers_rejections.customer_id = dailystory_customers_pending.customer_id AND NOT dailystory_customers_pending.departed)));

DELETE FROM dailystory_customers_rejections WHERE ((EXISTS (SELECT $1::INTEGER AS anon_1 
FROM (SELECT source.customer_id AS customer_id, source.email AS field_email, source.first_name AS "field_firstName", source.city AS field_city, source.plan AS custom_plan 
FROM customers AS source) AS source 
WHERE dailystory_customers_rejections.customer_id = source.customer_id AND source.customer_id = $1::INTEGER)) OR dailystory_customers_rejections.customer_id IS NOT NULL AND NOT (EXISTS (SELECT $1::INTEGER AS anon_1 
FROM (SELECT source.customer_id AS customer_id, source.email AS field_email, source.first_name AS "field_firstName", source.city AS field_city, source.plan AS custom_plan 
FROM customers AS source) AS source 
WHERE dailystory_customers_rejections.customer_id = source.customer_id))) AND ((dailystory_customers_rejections.reason NOT IN ($1::VARCHAR)) AND dailystory_customers_rejections.last_seen_at < $1::TIMESTAMP WITHOUT TIME ZONE OR dailystory_customers_rejections.reason IN ($1::VARCHAR) AND NOT (EXISTS (SELECT dailystory_customers_pending.sequence 
FROM dailystory_customers_pending 
WHERE dailystory_customers_rejections.customer_id = dailystory_customers_pending.customer_id AND NOT dailystory_customers_pending.departed)));

DELETE FROM dailystory_customers_rejections WHERE ((EXISTS (SELECT $1::INTEGER AS anon_1 
FROM (SELECT source.customer_id AS customer_id, source.email AS field_email, source.first_name AS "field_firstName", source.city AS field_city, source.plan AS custom_plan 
FROM customers AS source) AS source 
WHERE dailystory_customers_rejections.customer_id = source.customer_id AND true)) OR NOT (EXISTS (SELECT $1::INTEGER AS anon_1 
FROM (SELECT source.customer_id AS customer_id, source.email AS field_email, source.first_name AS "field_firstName", source.city AS field_city, source.plan AS custom_plan 
FROM customers AS source) AS source 
WHERE dailystory_customers_rejections.customer_id = source.customer_id))) AND ((dailystory_customers_rejections.reason NOT IN ($1::VARCHAR)) AND dailystory_customers_rejections.last_seen_at < $1::TIMESTAMP WITHOUT TIME ZONE OR dailystory_customers_rejections.reason IN ($1::VARCHAR) AND NOT (EXISTS (SELECT dailystory_customers_pending.sequence 
FROM dailystory_customers_pending 
WHERE dailystory_customers_rejections.customer_id = dailystory_customers_pending.customer_id AND NOT dailystory_customers_pending.departed)));

DELETE FROM dailystory_customers_rejections WHERE ((EXISTS (SELECT $1::INTEGER AS anon_1 
FROM (SELECT source.customer_id AS customer_id, source.email AS field_email, source.first_name AS "field_firstName", source.city AS field_city, source.plan AS custom_plan 
FROM dailystory_customers_staged AS source) AS source 
WHERE dailystory_customers_rejections.customer_id = source.customer_id AND true)) OR NOT (EXISTS (SELECT $1::INTEGER AS anon_1 
FROM (SELECT source.customer_id AS customer_id, source.email AS field_email, source.first_name AS "field_firstName", source.city AS field_city, source.plan AS custom_plan 
FROM dailystory_customers_staged AS source) AS source 
WHERE dailystory_customers_rejections.customer_id = source.customer_id))) AND ((dailystory_customers_rejections.reason NOT IN ($1::VARCHAR)) AND dailystory_customers_rejections.last_seen_at < $1::TIMESTAMP WITHOUT TIME ZONE OR dailystory_customers_rejections.reason IN ($1::VARCHAR) AND NOT (EXISTS (SELECT dailystory_customers_pending.sequence 
FROM dailystory_customers_pending 
WHERE dailystory_customers_rejections.customer_id = dailystory_customers_pending.customer_id AND NOT dailystory_customers_pending.departed)));

DELETE FROM dailystory_customers_rejections WHERE ((EXISTS (SELECT $1::INTEGER AS anon_1 
FROM (SELECT source.customer_id AS customer_id, source.email AS field_email, source.first_name AS "field_firstName", source.level AS field_city, source.plan AS "field_lastName", source.plan AS custom_plan 
FROM customers AS source) AS source 
WHERE dailystory_customers_rejections.customer_id = source.customer_id AND true)) OR NOT (EXISTS (SELECT $1::INTEGER AS anon_1 
FROM (SELECT source.customer_id AS customer_id, source.email AS field_email, source.first_name AS "field_firstName", source.level AS field_city, source.plan AS "field_lastName", source.plan AS custom_plan 
FROM customers AS source) AS source 
WHERE dailystory_customers_rejections.customer_id = source.customer_id))) AND ((dailystory_customers_rejections.reason NOT IN ($1::VARCHAR)) AND dailystory_customers_rejections.last_seen_at < $1::TIMESTAMP WITHOUT TIME ZONE OR dailystory_customers_rejections.reason IN ($1::VARCHAR) AND NOT (EXISTS (SELECT dailystory_customers_pending.sequence 
FROM dailystory_customers_pending 
WHERE dailystory_customers_rejections.customer_id = dailystory_customers_pending.customer_id AND NOT dailystory_customers_pending.departed)));

DELETE FROM dailystory_customers_rejections WHERE ((EXISTS (SELECT $1::INTEGER AS anon_1 
FROM dailystory_customers_staged AS source 
WHERE dailystory_customers_rejections.customer_id = source.customer_id AND (EXISTS (SELECT * 
FROM dailystory_customers_rejections 
WHERE dailystory_customers_rejections.customer_id = source.customer_id)))) OR dailystory_customers_rejections.customer_id IS NOT NULL AND NOT (EXISTS (SELECT $1::INTEGER AS anon_1 
FROM dailystory_customers_staged AS source 
WHERE dailystory_customers_rejections.customer_id = source.customer_id))) AND ((dailystory_customers_rejections.reason NOT IN ($1::VARCHAR)) AND dailystory_customers_rejections.last_seen_at < $1::TIMESTAMP WITHOUT TIME ZONE OR dailystory_customers_rejections.reason IN ($1::VARCHAR) AND NOT (EXISTS (SELECT dailystory_customers_pending.sequence 
FROM dailystory_customers_pending 
WHERE dailystory_customers_rejections.customer_id = dailystory_customers_pending.customer_id AND NOT dailystory_customers_pending.departed)));

DELETE FROM dailystory_customers_rejections WHERE ((EXISTS (SELECT $1::INTEGER AS anon_1 
FROM dailystory_customers_staged AS source 
WHERE dailystory_customers_rejections.customer_id = source.customer_id AND CAST(coalesce((hashtextextended(CAST(source.customer_id AS TEXT), $1::INTEGER) & 9223372036854775807) % 2, $1::INTEGER) AS BIGINT) = $1::BIGINT)) OR NOT (EXISTS (SELECT $1::INTEGER AS anon_1 
FROM dailystory_customers_staged AS source 
WHERE dailystory_customers_rejections.customer_id = source.customer_id))) AND ((dailystory_customers_rejections.reason NOT IN ($1::VARCHAR)) AND dailystory_customers_rejections.last_seen_at < $1::TIMESTAMP WITHOUT TIME ZONE OR dailystory_customers_rejections.reason IN ($1::VARCHAR) AND NOT (EXISTS (SELECT dailystory_customers_pending.sequence 
FROM dailystory_customers_pending 
WHERE dailystory_customers_rejections.customer_id = dailystory_customers_pending.customer_id AND NOT dailystory_customers_pending.departed)));

DELETE FROM dailystory_customers_rejections WHERE ((EXISTS (SELECT $1::INTEGER AS anon_1 
FROM dailystory_customers_staged AS source 
WHERE dailystory_customers_rejections.customer_id = source.customer_id AND source.customer_id = $1::BIGINT)) OR dailystory_customers_rejections.customer_id IS NOT NULL AND NOT (EXISTS (SELECT $1::INTEGER AS anon_1 
FROM dailystory_customers_staged AS source 
WHERE dailystory_customers_rejections.customer_id = source.customer_id))) AND ((dailystory_customers_rejections.reason NOT IN ($1::VARCHAR)) AND dailystory_customers_rejections.last_seen_at < $1::TIMESTAMP WITHOUT TIME ZONE OR dailystory_customers_rejections.reason IN ($1::VARCHAR) AND NOT (EXISTS (SELECT dailystory_customers_pending.sequence 
FROM dailystory_customers_pending 
WHERE dailystory_customers_rejections.customer_id = dailystory_customers_pending.customer_id AND NOT dailystory_customers_pending.departed)));

DELETE FROM dailystory_customers_rejections WHERE ((EXISTS (SELECT $1::INTEGER AS anon_1 
FROM dailystory_customers_staged AS source 
WHERE dailystory_customers_rejections.customer_id = source.customer_id AND true)) OR NOT (EXISTS (SELECT $1::INTEGER AS anon_1 
FROM dailystory_customers_staged AS source 
WHERE dailystory_customers_rejections.customer_id = source.customer_id))) AND ((dailystory_customers_rejections.reason NOT IN ($1::VARCHAR)) AND dailystory_customers_rejections.last_seen_at < $1::TIMESTAMP WITHOUT TIME ZONE OR dailystory_customers_rejections.reason IN ($1::VARCHAR) AND NOT (EXISTS (SELECT dailystory_customers_pending.sequence 
FROM dailystory_customers_pending 
WHERE dailystory_customers_rejections.customer_id = dailystory_customers_pending.customer_id AND NOT dailystory_customers_pending.departed)));

DELETE FROM dailystory_customers_rejections WHERE dailystory_customers_rejections.customer_id IN (SELECT dailystory_customers_changes.customer_id 
FROM dailystory_customers_changes JOIN dailystory_customers_answers ON dailystory_customers_answers.sequence = dailystory_customers_changes.sequence 
WHERE dailystory_customers_changes.plan_id = $1::VARCHAR AND dailystory_customers_changes.sequence IN (SELECT dailystory_customers_answers.sequence 
FROM dailystory_customers_answers) AND dailystory_customers_answers.outcome IN ($1::VARCHAR));

DELETE FROM dailystory_customers_snapshot WHERE EXISTS (SELECT moved.dsid 
FROM (SELECT dailystory_customers_changes.customer_id AS customer_id, dailystory_customers_changes.dsid AS dsid 
FROM dailystory_customers_changes JOIN dailystory_customers_answers ON dailystory_customers_answers.sequence = dailystory_customers_changes.sequence 
WHERE dailystory_customers_changes.plan_id = $1::VARCHAR AND dailystory_customers_changes.sequence IN (SELECT dailystory_customers_answers.sequence 
FROM dailystory_customers_answers) AND dailystory_customers_answers.outcome IN ($1::VARCHAR) AND dailystory_customers_changes.rekeyed) AS moved 
WHERE moved.customer_id = dailystory_customers_snapshot.customer_id);

DELETE FROM dailystory_meta WHERE dailystory_meta.name = $1::VARCHAR;

DROP TABLE IF EXISTS dailystory_customers_staged;

INSERT INTO dailystory_customers_answers (sequence, outcome, dsid, reason, message, attempts, answered_at, replaced, is_other_contact) SELECT given.sequence, given.outcome, given.dsid, given.reason, given.message, given.attempts, given.answered_at, given.replaced, given.is_other_contact 
FROM (SELECT r.sequence AS sequence, r.outcome AS outcome, r.dsid AS dsid, r.reason AS reason, r.message AS message, r.attempts AS attempts, r.answered_at AS answered_at, r.replaced AS replaced, r.is_other_contact AS is_other_contact 
FROM json_to_recordset(CAST($1::VARCHAR AS JSON)) AS r(sequence BIGINT, outcome TEXT, dsid TEXT, reason TEXT, message TEXT, attempts BIGINT, answered_at TIMESTAMP WITHOUT TIME ZONE, replaced BOOLEAN, is_other_contact BOOLEAN)) AS given;

INSERT INTO dailystory_customers_changes (plan_id, sequence, customer_id, field_email, "field_firstName", field_city, "field_lastName", custom_plan, differs_field_email, "differs_field_firstName", differs_field_city, "differs_field_lastName", differs_custom_plan, is_new, replaces, operation, identity_email, identity_mobile, identity_changed, dsid, rekeyed, reactivates, absent_action, deleted_in_dailystory, priority, waits_for, dropped_fields) SELECT $1::VARCHAR AS plan_id, dailystory_customers_pending.sequence, dailystory_customers_pending.customer_id, dailystory_customers_pending.field_email, dailystory_customers_pending."field_firstName", dailystory_customers_pending.field_city, dailystory_customers_pending."field_lastName", dailystory_customers_pending.custom_plan, dailystory_customers_pending.differs_field_email, dailystory_customers_pending."differs_field_firstName", dailystory_customers_pending.differs_field_city, dailystory_customers_pending."differs_field_lastName", dailystory_customers_pending.differs_custom_plan, dailystory_customers_pending.is_new, dailystory_customers_pending.replaces OR coalesce(dailystory_customers_judged.rekeyed, $1) AS replaces, dailystory_customers_judged.operation, dailystory_customers_judged.identity_email, dailystory_customers_judged.identity_mobile, dailystory_customers_judged.identity_changed, dailystory_customers_judged.dsid, dailystory_customers_judged.rekeyed, dailystory_customers_judged.reactivates, dailystory_customers_judged.absent_action, dailystory_customers_judged.deleted_in_dailystory, dailystory_customers_judged.priority, dailystory_customers_judged.waits_for, dailystory_customers_judged.dropped_fields 
FROM dailystory_customers_pending JOIN dailystory_customers_judged ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_judged.reason IS NULL AND NOT dailystory_customers_judged.held;

INSERT INTO dailystory_customers_changes (plan_id, sequence, customer_id, field_email, "field_firstName", field_city, custom_plan, differs_field_email, "differs_field_firstName", differs_field_city, differs_custom_plan, is_new, replaces, operation, identity_email, identity_mobile, identity_changed, dsid, rekeyed, reactivates, absent_action, deleted_in_dailystory, priority, waits_for, dropped_fields) SELECT $1::VARCHAR AS plan_id, dailystory_customers_pending.sequence, dailystory_customers_pending.customer_id, dailystory_customers_pending.field_email, dailystory_customers_pending."field_firstName", dailystory_customers_pending.field_city, dailystory_customers_pending.custom_plan, dailystory_customers_pending.differs_field_email, dailystory_customers_pending."differs_field_firstName", dailystory_customers_pending.differs_field_city, dailystory_customers_pending.differs_custom_plan, dailystory_customers_pending.is_new, dailystory_customers_pending.replaces OR coalesce(dailystory_customers_judged.rekeyed, $1) AS replaces, dailystory_customers_judged.operation, dailystory_customers_judged.identity_email, dailystory_customers_judged.identity_mobile, dailystory_customers_judged.identity_changed, dailystory_customers_judged.dsid, dailystory_customers_judged.rekeyed, dailystory_customers_judged.reactivates, dailystory_customers_judged.absent_action, dailystory_customers_judged.deleted_in_dailystory, dailystory_customers_judged.priority, dailystory_customers_judged.waits_for, dailystory_customers_judged.dropped_fields 
FROM dailystory_customers_pending JOIN dailystory_customers_judged ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_judged.reason IS NULL AND NOT dailystory_customers_judged.held;

INSERT INTO dailystory_customers_changes (plan_id, sequence, customer_id, field_email, "field_firstName", field_city, custom_plan, differs_field_email, "differs_field_firstName", differs_field_city, differs_custom_plan, is_new, replaces, operation, identity_email, identity_mobile, identity_changed, dsid, rekeyed, reactivates, absent_action, deleted_in_dailystory, priority, waits_for, dropped_fields) SELECT $1::VARCHAR AS plan_id, dailystory_customers_pending.sequence, dailystory_customers_pending.customer_id, dailystory_customers_pending.field_email, dailystory_customers_pending."field_firstName", dailystory_customers_pending.field_city, dailystory_customers_pending.custom_plan, dailystory_customers_pending.differs_field_email, dailystory_customers_pending."differs_field_firstName", dailystory_customers_pending.differs_field_city, dailystory_customers_pending.differs_custom_plan, dailystory_customers_pending.is_new, dailystory_customers_pending.replaces OR coalesce(dailystory_customers_judged.rekeyed, $1) AS replaces, dailystory_customers_judged.operation, dailystory_customers_judged.identity_email, dailystory_customers_judged.identity_mobile, dailystory_customers_judged.identity_changed, dailystory_customers_judged.dsid, dailystory_customers_judged.rekeyed, dailystory_customers_judged.reactivates, dailystory_customers_judged.absent_action, dailystory_customers_judged.deleted_in_dailystory, dailystory_customers_judged.priority, dailystory_customers_judged.waits_for, dailystory_customers_judged.dropped_fields 
FROM dailystory_customers_pending JOIN dailystory_customers_judged ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_judged.reason IS NULL AND NOT dailystory_customers_judged.held AND (dailystory_customers_judged.operation = $1::VARCHAR OR dailystory_customers_judged.sequence IN (SELECT anon_1.sequence 
FROM (SELECT dailystory_customers_judged.sequence AS sequence, row_number() OVER (ORDER BY dailystory_customers_judged.priority, dailystory_customers_judged.sequence) AS place 
FROM dailystory_customers_judged 
WHERE dailystory_customers_judged.reason IS NULL AND NOT dailystory_customers_judged.held AND dailystory_customers_judged.operation != $1::VARCHAR AND dailystory_customers_judged.waits_for IS NULL) AS anon_1 
WHERE anon_1.place <= $1::INTEGER));

INSERT INTO dailystory_customers_changes (plan_id, sequence, customer_id, operation, dsid, reason, message, priority) SELECT $1::VARCHAR AS plan_id, departures.sequence, departures.customer_id, departures.operation, departures.dsid, departures.reason, departures.message, $1::BIGINT AS priority 
FROM (SELECT departed.sequence AS sequence, departed.customer_id AS customer_id, CASE WHEN ((EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new AND dailystory_customers_judged.identity_email = departed.old_email)) OR (EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new AND dailystory_customers_judged.identity_mobile = departed.old_mobile)) OR (EXISTS (SELECT $1::INTEGER AS anon_1 
FROM dailystory_customers_newcomers 
WHERE dailystory_customers_newcomers.identity_email = departed.old_email)) OR (EXISTS (SELECT $1::INTEGER AS anon_1 
FROM dailystory_customers_newcomers 
WHERE dailystory_customers_newcomers.identity_mobile = departed.old_mobile))) THEN NULL ELSE $1::VARCHAR END AS operation, dailystory_customers_contact_map.dsid AS dsid, CASE WHEN ((EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new AND dailystory_customers_judged.identity_email = departed.old_email)) OR (EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new AND dailystory_customers_judged.identity_mobile = departed.old_mobile)) OR (EXISTS (SELECT $1::INTEGER AS anon_1 
FROM dailystory_customers_newcomers 
WHERE dailystory_customers_newcomers.identity_email = departed.old_email)) OR (EXISTS (SELECT $1::INTEGER AS anon_1 
FROM dailystory_customers_newcomers 
WHERE dailystory_customers_newcomers.identity_mobile = departed.old_mobile))) THEN NULL ELSE $1::VARCHAR END AS reason, CASE WHEN ((EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new AND dailystory_customers_judged.identity_email = departed.old_email)) OR (EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new AND dailystory_customers_judged.identity_mobile = departed.old_mobile)) OR (EXISTS (SELECT $1::INTEGER AS anon_1 
FROM dailystory_customers_newcomers 
WHERE dailystory_customers_newcomers.identity_email = departed.old_email)) OR (EXISTS (SELECT $1::INTEGER AS anon_1 
FROM dailystory_customers_newcomers 
WHERE dailystory_customers_newcomers.identity_mobile = departed.old_mobile))) THEN NULL ELSE $1::VARCHAR END AS message 
FROM (SELECT dailystory_customers_pending.sequence AS sequence, dailystory_customers_pending.customer_id AS customer_id, dailystory_customers_pending.field_email AS field_email, dailystory_customers_pending."field_firstName" AS "field_firstName", dailystory_customers_pending.field_city AS field_city, dailystory_customers_pending.custom_plan AS custom_plan, dailystory_customers_pending.differs_field_email AS differs_field_email, dailystory_customers_pending."differs_field_firstName" AS "differs_field_firstName", dailystory_customers_pending.differs_field_city AS differs_field_city, dailystory_customers_pending.differs_custom_plan AS differs_custom_plan, dailystory_customers_pending.is_new AS is_new, dailystory_customers_pending.replaces AS replaces, dailystory_customers_pending.departed AS departed, dailystory_customers_pending.returns AS returns, dailystory_customers_pending.old_email AS old_email, dailystory_customers_pending.old_mobile AS old_mobile 
FROM dailystory_customers_pending 
WHERE dailystory_customers_pending.departed) AS departed JOIN dailystory_customers_contact_map ON dailystory_customers_contact_map.customer_id = departed.customer_id) AS departures 
WHERE departures.operation IS NOT NULL;

INSERT INTO dailystory_customers_changes (plan_id, sequence, customer_id, operation, dsid, reason, message, priority) SELECT $1::VARCHAR AS plan_id, departures.sequence, departures.customer_id, departures.operation, departures.dsid, departures.reason, departures.message, $1::BIGINT AS priority 
FROM (SELECT departed.sequence AS sequence, departed.customer_id AS customer_id, CASE WHEN ((EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new AND dailystory_customers_judged.identity_email = departed.old_email)) OR (EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new AND dailystory_customers_judged.identity_mobile = departed.old_mobile))) THEN NULL ELSE $1::VARCHAR END AS operation, dailystory_customers_contact_map.dsid AS dsid, CASE WHEN ((EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new AND dailystory_customers_judged.identity_email = departed.old_email)) OR (EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new AND dailystory_customers_judged.identity_mobile = departed.old_mobile))) THEN NULL ELSE $1::VARCHAR END AS reason, CASE WHEN ((EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new AND dailystory_customers_judged.identity_email = departed.old_email)) OR (EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new AND dailystory_customers_judged.identity_mobile = departed.old_mobile))) THEN NULL ELSE $1::VARCHAR END AS message 
FROM (SELECT dailystory_customers_pending.sequence AS sequence, dailystory_customers_pending.customer_id AS customer_id, dailystory_customers_pending.field_email AS field_email, dailystory_customers_pending."field_firstName" AS "field_firstName", dailystory_customers_pending.field_city AS field_city, dailystory_customers_pending."field_lastName" AS "field_lastName", dailystory_customers_pending.custom_plan AS custom_plan, dailystory_customers_pending.differs_field_email AS differs_field_email, dailystory_customers_pending."differs_field_firstName" AS "differs_field_firstName", dailystory_customers_pending.differs_field_city AS differs_field_city, dailystory_customers_pending."differs_field_lastName" AS "differs_field_lastName", dailystory_customers_pending.differs_custom_plan AS differs_custom_plan, dailystory_customers_pending.is_new AS is_new, dailystory_customers_pending.replaces AS replaces, dailystory_customers_pending.departed AS departed, dailystory_customers_pending.returns AS returns, dailystory_customers_pending.old_email AS old_email, dailystory_customers_pending.old_mobile AS old_mobile 
FROM dailystory_customers_pending 
WHERE dailystory_customers_pending.departed) AS departed JOIN dailystory_customers_contact_map ON dailystory_customers_contact_map.customer_id = departed.customer_id) AS departures 
WHERE departures.operation IS NOT NULL;

INSERT INTO dailystory_customers_changes (plan_id, sequence, customer_id, operation, dsid, reason, message, priority) SELECT $1::VARCHAR AS plan_id, departures.sequence, departures.customer_id, departures.operation, departures.dsid, departures.reason, departures.message, $1::BIGINT AS priority 
FROM (SELECT departed.sequence AS sequence, departed.customer_id AS customer_id, CASE WHEN ((EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new AND dailystory_customers_judged.identity_email = departed.old_email)) OR (EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new AND dailystory_customers_judged.identity_mobile = departed.old_mobile))) THEN NULL ELSE $1::VARCHAR END AS operation, dailystory_customers_contact_map.dsid AS dsid, CASE WHEN ((EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new AND dailystory_customers_judged.identity_email = departed.old_email)) OR (EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new AND dailystory_customers_judged.identity_mobile = departed.old_mobile))) THEN NULL ELSE $1::VARCHAR END AS reason, CASE WHEN ((EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new AND dailystory_customers_judged.identity_email = departed.old_email)) OR (EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new AND dailystory_customers_judged.identity_mobile = departed.old_mobile))) THEN NULL ELSE $1::VARCHAR END AS message 
FROM (SELECT dailystory_customers_pending.sequence AS sequence, dailystory_customers_pending.customer_id AS customer_id, dailystory_customers_pending.field_email AS field_email, dailystory_customers_pending."field_firstName" AS "field_firstName", dailystory_customers_pending.field_city AS field_city, dailystory_customers_pending.custom_plan AS custom_plan, dailystory_customers_pending.differs_field_email AS differs_field_email, dailystory_customers_pending."differs_field_firstName" AS "differs_field_firstName", dailystory_customers_pending.differs_field_city AS differs_field_city, dailystory_customers_pending.differs_custom_plan AS differs_custom_plan, dailystory_customers_pending.is_new AS is_new, dailystory_customers_pending.replaces AS replaces, dailystory_customers_pending.departed AS departed, dailystory_customers_pending.returns AS returns, dailystory_customers_pending.old_email AS old_email, dailystory_customers_pending.old_mobile AS old_mobile 
FROM dailystory_customers_pending 
WHERE dailystory_customers_pending.departed AND CAST(coalesce((hashtextextended(CAST(dailystory_customers_pending.customer_id AS TEXT), $1::INTEGER) & 9223372036854775807) % 2, $1::INTEGER) AS BIGINT) = $1::BIGINT) AS departed JOIN dailystory_customers_contact_map ON dailystory_customers_contact_map.customer_id = departed.customer_id) AS departures 
WHERE departures.operation IS NOT NULL;

INSERT INTO dailystory_customers_changes (plan_id, sequence, customer_id, operation, dsid, reason, message, priority) SELECT $1::VARCHAR AS plan_id, departures.sequence, departures.customer_id, departures.operation, departures.dsid, departures.reason, departures.message, $1::BIGINT AS priority 
FROM (SELECT departed.sequence AS sequence, departed.customer_id AS customer_id, CASE WHEN ((EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new AND dailystory_customers_judged.identity_email = departed.old_email)) OR (EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new AND dailystory_customers_judged.identity_mobile = departed.old_mobile))) THEN NULL ELSE $1::VARCHAR END AS operation, dailystory_customers_contact_map.dsid AS dsid, CASE WHEN ((EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new AND dailystory_customers_judged.identity_email = departed.old_email)) OR (EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new AND dailystory_customers_judged.identity_mobile = departed.old_mobile))) THEN NULL ELSE $1::VARCHAR END AS reason, CASE WHEN ((EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new AND dailystory_customers_judged.identity_email = departed.old_email)) OR (EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new AND dailystory_customers_judged.identity_mobile = departed.old_mobile))) THEN NULL ELSE $1::VARCHAR END AS message 
FROM (SELECT dailystory_customers_pending.sequence AS sequence, dailystory_customers_pending.customer_id AS customer_id, dailystory_customers_pending.field_email AS field_email, dailystory_customers_pending."field_firstName" AS "field_firstName", dailystory_customers_pending.field_city AS field_city, dailystory_customers_pending.custom_plan AS custom_plan, dailystory_customers_pending.differs_field_email AS differs_field_email, dailystory_customers_pending."differs_field_firstName" AS "differs_field_firstName", dailystory_customers_pending.differs_field_city AS differs_field_city, dailystory_customers_pending.differs_custom_plan AS differs_custom_plan, dailystory_customers_pending.is_new AS is_new, dailystory_customers_pending.replaces AS replaces, dailystory_customers_pending.departed AS departed, dailystory_customers_pending.returns AS returns, dailystory_customers_pending.old_email AS old_email, dailystory_customers_pending.old_mobile AS old_mobile 
FROM dailystory_customers_pending 
WHERE dailystory_customers_pending.departed) AS departed JOIN dailystory_customers_contact_map ON dailystory_customers_contact_map.customer_id = departed.customer_id) AS departures 
WHERE departures.operation IS NOT NULL;

INSERT INTO dailystory_customers_contact_map (customer_id, dsid, first_synced_at, last_synced_at) SELECT linked.customer_id, linked.dsid, linked.answered_at, linked.answered_at AS answered_at__1 
FROM (SELECT dailystory_customers_changes.customer_id AS customer_id, dailystory_customers_answers.dsid AS dsid, dailystory_customers_answers.answered_at AS answered_at 
FROM dailystory_customers_changes JOIN dailystory_customers_answers ON dailystory_customers_answers.sequence = dailystory_customers_changes.sequence 
WHERE dailystory_customers_changes.plan_id = $1::VARCHAR AND dailystory_customers_changes.sequence IN (SELECT dailystory_customers_answers.sequence 
FROM dailystory_customers_answers) AND dailystory_customers_answers.outcome IN ($1::VARCHAR)) AS linked 
WHERE NOT (EXISTS (SELECT dailystory_customers_contact_map.dsid 
FROM dailystory_customers_contact_map 
WHERE dailystory_customers_contact_map.customer_id = linked.customer_id));

INSERT INTO dailystory_customers_intents (customer_id, plan_id, sequence, email_as_sent, mobile_as_sent, dsid, sent_at) SELECT dailystory_customers_changes.customer_id, dailystory_customers_changes.plan_id, dailystory_customers_changes.sequence, given.email, given.mobile, given.dsid, $1::TIMESTAMP WITHOUT TIME ZONE AS anon_1 
FROM dailystory_customers_changes JOIN (SELECT r.sequence AS sequence, r.email AS email, r.mobile AS mobile, r.dsid AS dsid 
FROM json_to_recordset(CAST($1::VARCHAR AS JSON)) AS r(sequence BIGINT, email TEXT, mobile TEXT, dsid TEXT)) AS given ON dailystory_customers_changes.sequence = given.sequence 
WHERE dailystory_customers_changes.plan_id = $1::VARCHAR AND NOT (EXISTS (SELECT dailystory_customers_intents.plan_id 
FROM dailystory_customers_intents 
WHERE dailystory_customers_intents.customer_id = dailystory_customers_changes.customer_id));

INSERT INTO dailystory_customers_judged (sequence, operation, identity_email, identity_mobile, identity_changed, held, dsid, reactivates, priority) SELECT dailystory_customers_pending.sequence, $1::VARCHAR AS operation, dailystory_customers_pending.old_email AS identity_email, dailystory_customers_pending.old_mobile AS identity_mobile, false AS identity_changed, false AS held, dailystory_customers_contact_map.dsid, false AS reactivates, $1::BIGINT AS priority 
FROM dailystory_customers_pending JOIN dailystory_customers_contact_map ON dailystory_customers_contact_map.customer_id = dailystory_customers_pending.customer_id LEFT OUTER JOIN dailystory_customers_rejections ON dailystory_customers_rejections.customer_id = dailystory_customers_pending.customer_id 
WHERE NOT (dailystory_customers_pending.departed OR dailystory_customers_pending.is_new OR dailystory_customers_pending.replaces) AND (dailystory_customers_pending.differs_field_email OR dailystory_customers_pending."differs_field_firstName" OR dailystory_customers_pending.differs_field_city OR dailystory_customers_pending."differs_field_lastName" OR dailystory_customers_pending.differs_custom_plan) AND NOT dailystory_customers_pending.differs_field_email AND (NOT dailystory_customers_pending."differs_field_firstName" OR length(dailystory_customers_pending."field_firstName") <= $1::INTEGER AND (lower(dailystory_customers_pending."field_firstName") != upper(dailystory_customers_pending."field_firstName") OR ltrim(dailystory_customers_pending."field_firstName", $1::VARCHAR) != dailystory_customers_pending."field_firstName") AND dailystory_customers_pending."field_firstName" != $1::VARCHAR) AND (NOT dailystory_customers_pending.differs_field_city OR dailystory_customers_pending.field_city IS NOT NULL) AND (NOT dailystory_customers_pending."differs_field_lastName" OR length(dailystory_customers_pending."field_lastName") <= $1::INTEGER AND (lower(dailystory_customers_pending."field_lastName") != upper(dailystory_customers_pending."field_lastName") OR ltrim(dailystory_customers_pending."field_lastName", $1::VARCHAR) != dailystory_customers_pending."field_lastName") AND dailystory_customers_pending."field_lastName" != $1::VARCHAR) AND (NOT dailystory_customers_pending.differs_custom_plan OR length(dailystory_customers_pending.custom_plan) <= $1::INTEGER AND (lower(dailystory_customers_pending.custom_plan) != upper(dailystory_customers_pending.custom_plan) OR ltrim(dailystory_customers_pending.custom_plan, $1::VARCHAR) != dailystory_customers_pending.custom_plan) AND dailystory_customers_pending.custom_plan != $1::VARCHAR) AND dailystory_customers_contact_map.deactivated_at IS NULL AND dailystory_customers_contact_map.deleted_at IS NULL AND dailystory_customers_rejections.customer_id IS NULL AND dailystory_customers_contact_map.deleted_in_dailystory_at IS NULL;

INSERT INTO dailystory_customers_judged (sequence, operation, identity_email, identity_mobile, identity_changed, held, dsid, reactivates, priority) SELECT dailystory_customers_pending.sequence, $1::VARCHAR AS operation, dailystory_customers_pending.old_email AS identity_email, dailystory_customers_pending.old_mobile AS identity_mobile, false AS identity_changed, false AS held, dailystory_customers_contact_map.dsid, false AS reactivates, $1::BIGINT AS priority 
FROM dailystory_customers_pending JOIN dailystory_customers_contact_map ON dailystory_customers_contact_map.customer_id = dailystory_customers_pending.customer_id LEFT OUTER JOIN dailystory_customers_rejections ON dailystory_customers_rejections.customer_id = dailystory_customers_pending.customer_id 
WHERE NOT (dailystory_customers_pending.departed OR dailystory_customers_pending.is_new OR dailystory_customers_pending.replaces) AND (dailystory_customers_pending.differs_field_email OR dailystory_customers_pending."differs_field_firstName" OR dailystory_customers_pending.differs_field_city OR dailystory_customers_pending."differs_field_lastName" OR dailystory_customers_pending.differs_custom_plan) AND NOT dailystory_customers_pending.differs_field_email AND (NOT dailystory_customers_pending."differs_field_firstName" OR length(dailystory_customers_pending."field_firstName") <= $1::INTEGER AND (lower(dailystory_customers_pending."field_firstName") != upper(dailystory_customers_pending."field_firstName") OR ltrim(dailystory_customers_pending."field_firstName", $1::VARCHAR) != dailystory_customers_pending."field_firstName") AND dailystory_customers_pending."field_firstName" != $1::VARCHAR) AND (NOT dailystory_customers_pending.differs_field_city OR length(dailystory_customers_pending.field_city) <= $1::INTEGER AND (lower(dailystory_customers_pending.field_city) != upper(dailystory_customers_pending.field_city) OR ltrim(dailystory_customers_pending.field_city, $1::VARCHAR) != dailystory_customers_pending.field_city) AND dailystory_customers_pending.field_city != $1::VARCHAR) AND (NOT dailystory_customers_pending."differs_field_lastName" OR length(dailystory_customers_pending."field_lastName") <= $1::INTEGER AND (lower(dailystory_customers_pending."field_lastName") != upper(dailystory_customers_pending."field_lastName") OR ltrim(dailystory_customers_pending."field_lastName", $1::VARCHAR) != dailystory_customers_pending."field_lastName") AND dailystory_customers_pending."field_lastName" != $1::VARCHAR) AND (NOT dailystory_customers_pending.differs_custom_plan OR length(dailystory_customers_pending.custom_plan) <= $1::INTEGER AND (lower(dailystory_customers_pending.custom_plan) != upper(dailystory_customers_pending.custom_plan) OR ltrim(dailystory_customers_pending.custom_plan, $1::VARCHAR) != dailystory_customers_pending.custom_plan) AND dailystory_customers_pending.custom_plan != $1::VARCHAR) AND dailystory_customers_contact_map.deactivated_at IS NULL AND dailystory_customers_contact_map.deleted_at IS NULL AND dailystory_customers_rejections.customer_id IS NULL AND dailystory_customers_contact_map.deleted_in_dailystory_at IS NULL;

INSERT INTO dailystory_customers_judged (sequence, operation, identity_email, identity_mobile, identity_changed, held, dsid, reactivates, priority) SELECT dailystory_customers_pending.sequence, $1::VARCHAR AS operation, dailystory_customers_pending.old_email AS identity_email, dailystory_customers_pending.old_mobile AS identity_mobile, false AS identity_changed, false AS held, dailystory_customers_contact_map.dsid, false AS reactivates, $1::BIGINT AS priority 
FROM dailystory_customers_pending JOIN dailystory_customers_contact_map ON dailystory_customers_contact_map.customer_id = dailystory_customers_pending.customer_id LEFT OUTER JOIN dailystory_customers_rejections ON dailystory_customers_rejections.customer_id = dailystory_customers_pending.customer_id 
WHERE NOT (dailystory_customers_pending.departed OR dailystory_customers_pending.is_new OR dailystory_customers_pending.replaces) AND (dailystory_customers_pending.differs_field_email OR dailystory_customers_pending."differs_field_firstName" OR dailystory_customers_pending.differs_field_city OR dailystory_customers_pending.differs_custom_plan) AND NOT dailystory_customers_pending.differs_field_email AND (NOT dailystory_customers_pending."differs_field_firstName" OR length(dailystory_customers_pending."field_firstName") <= $1::INTEGER AND (lower(dailystory_customers_pending."field_firstName") != upper(dailystory_customers_pending."field_firstName") OR ltrim(dailystory_customers_pending."field_firstName", $1::VARCHAR) != dailystory_customers_pending."field_firstName") AND dailystory_customers_pending."field_firstName" != $1::VARCHAR) AND (NOT dailystory_customers_pending.differs_field_city OR length(dailystory_customers_pending.field_city) <= $1::INTEGER AND (lower(dailystory_customers_pending.field_city) != upper(dailystory_customers_pending.field_city) OR ltrim(dailystory_customers_pending.field_city, $1::VARCHAR) != dailystory_customers_pending.field_city) AND dailystory_customers_pending.field_city != $1::VARCHAR) AND (NOT dailystory_customers_pending.differs_custom_plan OR length(dailystory_customers_pending.custom_plan) <= $1::INTEGER AND (lower(dailystory_customers_pending.custom_plan) != upper(dailystory_customers_pending.custom_plan) OR ltrim(dailystory_customers_pending.custom_plan, $1::VARCHAR) != dailystory_customers_pending.custom_plan) AND dailystory_customers_pending.custom_plan != $1::VARCHAR) AND dailystory_customers_contact_map.deactivated_at IS NULL AND dailystory_customers_contact_map.deleted_at IS NULL AND dailystory_customers_rejections.customer_id IS NULL AND dailystory_customers_contact_map.deleted_in_dailystory_at IS NULL;

INSERT INTO dailystory_customers_judged (sequence, operation, identity_email, identity_mobile, identity_changed, reason, message, held, rekeyed, reactivates, absent_action, deleted_in_dailystory, dsid, waits_for, priority, dropped_fields) SELECT given.sequence, given.operation, given.identity_email, given.identity_mobile, given.identity_changed, given.reason, given.message, given.held, given.rekeyed, given.reactivates, given.absent_action, given.deleted_in_dailystory, given.dsid, given.waits_for, given.priority, given.dropped_fields 
FROM (SELECT r.sequence AS sequence, r.operation AS operation, r.identity_email AS identity_email, r.identity_mobile AS identity_mobile, r.identity_changed AS identity_changed, r.reason AS reason, r.message AS message, r.held AS held, r.rekeyed AS rekeyed, r.reactivates AS reactivates, r.absent_action AS absent_action, r.deleted_in_dailystory AS deleted_in_dailystory, r.dsid AS dsid, r.waits_for AS waits_for, r.priority AS priority, r.dropped_fields AS dropped_fields 
FROM json_to_recordset(CAST($1::VARCHAR AS JSON)) AS r(sequence BIGINT, operation TEXT, identity_email TEXT, identity_mobile TEXT, identity_changed BOOLEAN, reason TEXT, message TEXT, held BOOLEAN, rekeyed BOOLEAN, reactivates BOOLEAN, absent_action TEXT, deleted_in_dailystory BOOLEAN, dsid TEXT, waits_for BIGINT, priority BIGINT, dropped_fields TEXT)) AS given;

INSERT INTO dailystory_customers_newcomers (identity_email, identity_mobile) SELECT given.identity_email, given.identity_mobile 
FROM (SELECT r.identity_email AS identity_email, r.identity_mobile AS identity_mobile 
FROM json_to_recordset(CAST($1::VARCHAR AS JSON)) AS r(identity_email TEXT, identity_mobile TEXT)) AS given;

INSERT INTO dailystory_customers_rejections (customer_id, reason, message, fingerprint, opts_out, first_seen_at, last_seen_at, attempts, source_rows) SELECT found.customer_id, found.reason, found.message, found.fingerprint, found.opts_out, $1::TIMESTAMP WITHOUT TIME ZONE AS anon_1, $1::TIMESTAMP WITHOUT TIME ZONE AS anon__1, $1::BIGINT AS anon_2, $1::BIGINT AS anon__2 
FROM (SELECT dailystory_customers_changes.customer_id AS customer_id, given.reason AS reason, given.message AS message, given.fingerprint AS fingerprint, dailystory_customers_changes.operation = $1::VARCHAR AND false AS opts_out 
FROM dailystory_customers_changes JOIN (SELECT r.sequence AS sequence, r.reason AS reason, r.message AS message, r.fingerprint AS fingerprint 
FROM json_to_recordset(CAST($1::VARCHAR AS JSON)) AS r(sequence BIGINT, reason TEXT, message TEXT, fingerprint TEXT)) AS given ON dailystory_customers_changes.sequence = given.sequence 
WHERE dailystory_customers_changes.plan_id = $1::VARCHAR) AS found 
WHERE NOT (EXISTS (SELECT dailystory_customers_rejections.reason 
FROM dailystory_customers_rejections 
WHERE dailystory_customers_rejections.customer_id = found.customer_id));

INSERT INTO dailystory_customers_rejections (customer_id, reason, message, source_rows, attempts, first_seen_at, last_seen_at) VALUES (NULL, $1::VARCHAR, $1::VARCHAR, $1::BIGINT, $1::BIGINT, $1::TIMESTAMP WITHOUT TIME ZONE, $1::TIMESTAMP WITHOUT TIME ZONE);

INSERT INTO dailystory_customers_rejections (customer_id, reason, message, source_rows, first_seen_at, last_seen_at, attempts) SELECT found.customer_id, found.reason, found.message, found.source_rows, $1::TIMESTAMP WITHOUT TIME ZONE AS anon_1, $1::TIMESTAMP WITHOUT TIME ZONE AS anon__1, $1::BIGINT AS anon_2 
FROM (SELECT dailystory_customers_duplicates.customer_id AS customer_id, $1::VARCHAR AS reason, $1::VARCHAR AS message, dailystory_customers_duplicates.source_rows AS source_rows 
FROM dailystory_customers_duplicates) AS found 
WHERE NOT (EXISTS (SELECT dailystory_customers_rejections.reason 
FROM dailystory_customers_rejections 
WHERE dailystory_customers_rejections.customer_id = found.customer_id AND dailystory_customers_rejections.reason = found.reason));

INSERT INTO dailystory_customers_rejections (customer_id, reason, message, source_rows, first_seen_at, last_seen_at, attempts) SELECT found.customer_id, found.reason, found.message, found.source_rows, $1::TIMESTAMP WITHOUT TIME ZONE AS anon_1, $1::TIMESTAMP WITHOUT TIME ZONE AS anon__1, $1::BIGINT AS anon_2 
FROM (SELECT dailystory_customers_pending.customer_id AS customer_id, dailystory_customers_judged.reason AS reason, dailystory_customers_judged.message AS message, CAST($1::INTEGER AS BIGINT) AS source_rows 
FROM dailystory_customers_pending JOIN dailystory_customers_judged ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_judged.reason IS NOT NULL) AS found 
WHERE NOT (EXISTS (SELECT dailystory_customers_rejections.reason 
FROM dailystory_customers_rejections 
WHERE dailystory_customers_rejections.customer_id = found.customer_id AND dailystory_customers_rejections.reason = found.reason));

INSERT INTO dailystory_customers_snapshot (customer_id, field_email, "field_firstName", field_city, custom_plan, identity_email, identity_mobile, partition_value, acknowledged_plan, resend_all) SELECT sent.customer_id, sent.field_email, sent."field_firstName", sent.field_city, sent.custom_plan, sent.identity_email, sent.identity_mobile, sent.partition_value, $1::BIGINT AS anon_1, false AS anon_2 
FROM (SELECT dailystory_customers_changes.customer_id AS customer_id, dailystory_customers_changes.field_email AS field_email, dailystory_customers_changes.differs_field_email AS differs_field_email, dailystory_customers_changes."field_firstName" AS "field_firstName", dailystory_customers_changes."differs_field_firstName" AS "differs_field_firstName", dailystory_customers_changes.field_city AS field_city, dailystory_customers_changes.differs_field_city AS differs_field_city, dailystory_customers_changes.custom_plan AS custom_plan, dailystory_customers_changes.differs_custom_plan AS differs_custom_plan, dailystory_customers_changes.identity_email AS identity_email, dailystory_customers_changes.identity_mobile AS identity_mobile, dailystory_customers_changes.partition_value AS partition_value, dailystory_customers_changes.dropped_fields AS dropped_fields, dailystory_customers_answers.is_other_contact AS is_other_contact, dailystory_customers_changes.replaces OR coalesce(dailystory_customers_answers.replaced, false) AS replaced 
FROM dailystory_customers_changes JOIN dailystory_customers_answers ON dailystory_customers_answers.sequence = dailystory_customers_changes.sequence 
WHERE dailystory_customers_changes.plan_id = $1::VARCHAR AND dailystory_customers_changes.sequence IN (SELECT dailystory_customers_answers.sequence 
FROM dailystory_customers_answers) AND dailystory_customers_answers.outcome IN ($1::VARCHAR)) AS sent 
WHERE NOT (EXISTS (SELECT dailystory_customers_snapshot.resend_all 
FROM dailystory_customers_snapshot 
WHERE dailystory_customers_snapshot.customer_id = sent.customer_id));

INSERT INTO dailystory_customers_staged (customer_id, field_email, "field_firstName", field_city, "field_lastName", custom_plan) SELECT given.customer_id, given.field_email, given."field_firstName", given.field_city, given."field_lastName", given.custom_plan 
FROM (SELECT r.customer_id AS customer_id, r.field_email AS field_email, r."field_firstName" AS "field_firstName", r.field_city AS field_city, r."field_lastName" AS "field_lastName", r.custom_plan AS custom_plan 
FROM json_to_recordset(CAST($1::VARCHAR AS JSON)) AS r(customer_id BIGINT, field_email TEXT, "field_firstName" TEXT, field_city TEXT, "field_lastName" TEXT, custom_plan TEXT)) AS given;

INSERT INTO dailystory_customers_staged (customer_id, field_email, "field_firstName", field_city, custom_plan) SELECT given.customer_id, given.field_email, given."field_firstName", given.field_city, given.custom_plan 
FROM (SELECT r.customer_id AS customer_id, r.field_email AS field_email, r."field_firstName" AS "field_firstName", r.field_city AS field_city, r.custom_plan AS custom_plan 
FROM json_to_recordset(CAST($1::VARCHAR AS JSON)) AS r(customer_id BIGINT, field_email TEXT, "field_firstName" TEXT, field_city TEXT, custom_plan TEXT)) AS given;

INSERT INTO dailystory_meta (name, holder, fence, heartbeat_at, run_id, taken_at) VALUES ($1::VARCHAR);

INSERT INTO dailystory_meta (name, value) VALUES ($1::VARCHAR);

INSERT INTO dailystory_plans (plan_id, sync_name, partition_value, run_id, scope, options, mapping_version, destination, status, guards, changes_by_field, rejections_by_reason, settings, fields_dropped, new_custom_fields, opt_outs_waiting, number, rows_read, rows_unchanged, rows_to_create, rows_to_update, rows_to_delete, rows_rejected, rows_held, rows_delete_skipped_shared, opt_outs_to_send, opt_outs_pending, opt_outs_ahead, live_keys, whole_source, first_load, diff_seconds, created_at, expires_at) VALUES ($1::VARCHAR);

INSERT INTO dailystory_runs (run_id, plan_id, sync_name, partition_value, outcome, started_at, finished_at, rows_created, rows_updated, rows_deleted, rows_mapped, rows_refused, rows_failed, rows_in_doubt, rows_conflicted, rows_deleted_in_dailystory, rows_delete_skipped_shared, rows_skipped, rows_delete_waiting, rows_delete_returned, opt_outs_sent, opt_outs_pending, api_requests, api_retries, api_throttled, send_seconds) VALUES ($1::VARCHAR);

SELECT $1::INTEGER AS anon_1 
FROM dailystory_customers_changes 
WHERE dailystory_customers_changes.plan_id = $1::VARCHAR AND dailystory_customers_changes.outcome IS NULL AND dailystory_customers_changes.operation = $1::VARCHAR OR dailystory_customers_changes.plan_id = $1::VARCHAR AND dailystory_customers_changes.outcome IS NULL AND dailystory_customers_changes.operation = $1::VARCHAR 
 LIMIT $1::INTEGER;

SELECT $1::INTEGER AS anon_1 
FROM dailystory_customers_changes 
WHERE dailystory_customers_changes.plan_id = $1::VARCHAR AND dailystory_customers_changes.rekeyed 
 LIMIT $1::INTEGER;

SELECT $1::INTEGER AS anon_1 
FROM dailystory_customers_rejections 
 LIMIT $1::INTEGER;

SELECT * 
FROM (
select * from customers
) AS source 
WHERE false;

SELECT * 
FROM customers 
WHERE false;

SELECT DISTINCT dailystory_plans.sync_name 
FROM dailystory_plans 
WHERE dailystory_plans.sync_name != $1::VARCHAR ORDER BY dailystory_plans.sync_name;

SELECT DISTINCT source.customer_id 
FROM (SELECT source.customer_id AS customer_id, source.email AS field_email, source.first_name AS "field_firstName", source.city AS field_city, source.plan AS custom_plan 
FROM customers AS source) AS source 
WHERE source.customer_id = $1::INTEGER;

SELECT DISTINCT source.customer_id 
FROM dailystory_customers_staged AS source 
WHERE source.customer_id = $1::BIGINT;

SELECT coalesce(sum(CASE WHEN NOT dailystory_customers_pending.departed THEN $1::INTEGER ELSE $1::INTEGER END), $1::INTEGER) AS coalesce_1, coalesce(sum(CASE WHEN (NOT dailystory_customers_pending.departed AND dailystory_customers_pending.is_new) THEN $1::INTEGER ELSE $1::INTEGER END), $1::INTEGER) AS coalesce_3, coalesce(sum(CASE WHEN (NOT dailystory_customers_pending.departed AND dailystory_customers_pending.returns) THEN $1::INTEGER ELSE $1::INTEGER END), $1::INTEGER) AS coalesce_5, coalesce(sum(CASE WHEN (dailystory_customers_pending.departed AND NOT dailystory_customers_pending.returns) THEN $1::INTEGER ELSE $1::INTEGER END), $1::INTEGER) AS coalesce_7, coalesce(sum(CASE WHEN (dailystory_customers_pending.departed AND dailystory_customers_pending.returns) THEN $1::INTEGER ELSE $1::INTEGER END), $1::INTEGER) AS coalesce_9 
FROM dailystory_customers_pending;

SELECT coalesce(sum(CASE WHEN dailystory_customers_changes.differs_field_email THEN $1::INTEGER ELSE $1::INTEGER END), $1::INTEGER) AS coalesce_1, coalesce(sum(CASE WHEN dailystory_customers_changes."differs_field_firstName" THEN $1::INTEGER ELSE $1::INTEGER END), $1::INTEGER) AS coalesce_3, coalesce(sum(CASE WHEN dailystory_customers_changes.differs_field_city THEN $1::INTEGER ELSE $1::INTEGER END), $1::INTEGER) AS coalesce_5, coalesce(sum(CASE WHEN dailystory_customers_changes."differs_field_lastName" THEN $1::INTEGER ELSE $1::INTEGER END), $1::INTEGER) AS coalesce_7, coalesce(sum(CASE WHEN dailystory_customers_changes.differs_custom_plan THEN $1::INTEGER ELSE $1::INTEGER END), $1::INTEGER) AS coalesce_9 
FROM dailystory_customers_changes 
WHERE dailystory_customers_changes.plan_id = $1::VARCHAR AND dailystory_customers_changes.operation IN ($1::VARCHAR);

SELECT coalesce(sum(CASE WHEN dailystory_customers_changes.differs_field_email THEN $1::INTEGER ELSE $1::INTEGER END), $1::INTEGER) AS coalesce_1, coalesce(sum(CASE WHEN dailystory_customers_changes."differs_field_firstName" THEN $1::INTEGER ELSE $1::INTEGER END), $1::INTEGER) AS coalesce_3, coalesce(sum(CASE WHEN dailystory_customers_changes.differs_field_city THEN $1::INTEGER ELSE $1::INTEGER END), $1::INTEGER) AS coalesce_5, coalesce(sum(CASE WHEN dailystory_customers_changes.differs_custom_plan THEN $1::INTEGER ELSE $1::INTEGER END), $1::INTEGER) AS coalesce_7 
FROM dailystory_customers_changes 
WHERE dailystory_customers_changes.plan_id = $1::VARCHAR AND dailystory_customers_changes.operation IN ($1::VARCHAR);

SELECT coalesce(sum(dailystory_customers_duplicates.source_rows), $1::INTEGER) AS coalesce_1 
FROM dailystory_customers_duplicates;

SELECT count(*) AS count_1 
FROM (SELECT departed.sequence AS sequence, departed.customer_id AS customer_id, CASE WHEN ((EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new AND dailystory_customers_judged.identity_email = departed.old_email)) OR (EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new AND dailystory_customers_judged.identity_mobile = departed.old_mobile)) OR (EXISTS (SELECT $1::INTEGER AS anon_1 
FROM dailystory_customers_newcomers 
WHERE dailystory_customers_newcomers.identity_email = departed.old_email)) OR (EXISTS (SELECT $1::INTEGER AS anon_1 
FROM dailystory_customers_newcomers 
WHERE dailystory_customers_newcomers.identity_mobile = departed.old_mobile))) THEN NULL ELSE $1::VARCHAR END AS operation, dailystory_customers_contact_map.dsid AS dsid, CASE WHEN ((EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new AND dailystory_customers_judged.identity_email = departed.old_email)) OR (EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new AND dailystory_customers_judged.identity_mobile = departed.old_mobile)) OR (EXISTS (SELECT $1::INTEGER AS anon_1 
FROM dailystory_customers_newcomers 
WHERE dailystory_customers_newcomers.identity_email = departed.old_email)) OR (EXISTS (SELECT $1::INTEGER AS anon_1 
FROM dailystory_customers_newcomers 
WHERE dailystory_customers_newcomers.identity_mobile = departed.old_mobile))) THEN NULL ELSE $1::VARCHAR END AS reason, CASE WHEN ((EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new AND dailystory_customers_judged.identity_email = departed.old_email)) OR (EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new AND dailystory_customers_judged.identity_mobile = departed.old_mobile)) OR (EXISTS (SELECT $1::INTEGER AS anon_1 
FROM dailystory_customers_newcomers 
WHERE dailystory_customers_newcomers.identity_email = departed.old_email)) OR (EXISTS (SELECT $1::INTEGER AS anon_1 
FROM dailystory_customers_newcomers 
WHERE dailystory_customers_newcomers.identity_mobile = departed.old_mobile))) THEN NULL ELSE $1::VARCHAR END AS message 
FROM (SELECT dailystory_customers_pending.sequence AS sequence, dailystory_customers_pending.customer_id AS customer_id, dailystory_customers_pending.field_email AS field_email, dailystory_customers_pending."field_firstName" AS "field_firstName", dailystory_customers_pending.field_city AS field_city, dailystory_customers_pending.custom_plan AS custom_plan, dailystory_customers_pending.differs_field_email AS differs_field_email, dailystory_customers_pending."differs_field_firstName" AS "differs_field_firstName", dailystory_customers_pending.differs_field_city AS differs_field_city, dailystory_customers_pending.differs_custom_plan AS differs_custom_plan, dailystory_customers_pending.is_new AS is_new, dailystory_customers_pending.replaces AS replaces, dailystory_customers_pending.departed AS departed, dailystory_customers_pending.returns AS returns, dailystory_customers_pending.old_email AS old_email, dailystory_customers_pending.old_mobile AS old_mobile 
FROM dailystory_customers_pending 
WHERE dailystory_customers_pending.departed) AS departed JOIN dailystory_customers_contact_map ON dailystory_customers_contact_map.customer_id = departed.customer_id) AS departures 
WHERE departures.operation = $1::VARCHAR;

SELECT count(*) AS count_1 
FROM (SELECT departed.sequence AS sequence, departed.customer_id AS customer_id, CASE WHEN ((EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new AND dailystory_customers_judged.identity_email = departed.old_email)) OR (EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new AND dailystory_customers_judged.identity_mobile = departed.old_mobile))) THEN NULL ELSE $1::VARCHAR END AS operation, dailystory_customers_contact_map.dsid AS dsid, CASE WHEN ((EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new AND dailystory_customers_judged.identity_email = departed.old_email)) OR (EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new AND dailystory_customers_judged.identity_mobile = departed.old_mobile))) THEN NULL ELSE $1::VARCHAR END AS reason, CASE WHEN ((EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new AND dailystory_customers_judged.identity_email = departed.old_email)) OR (EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new AND dailystory_customers_judged.identity_mobile = departed.old_mobile))) THEN NULL ELSE $1::VARCHAR END AS message 
FROM (SELECT dailystory_customers_pending.sequence AS sequence, dailystory_customers_pending.customer_id AS customer_id, dailystory_customers_pending.field_email AS field_email, dailystory_customers_pending."field_firstName" AS "field_firstName", dailystory_customers_pending.field_city AS field_city, dailystory_customers_pending."field_lastName" AS "field_lastName", dailystory_customers_pending.custom_plan AS custom_plan, dailystory_customers_pending.differs_field_email AS differs_field_email, dailystory_customers_pending."differs_field_firstName" AS "differs_field_firstName", dailystory_customers_pending.differs_field_city AS differs_field_city, dailystory_customers_pending."differs_field_lastName" AS "differs_field_lastName", dailystory_customers_pending.differs_custom_plan AS differs_custom_plan, dailystory_customers_pending.is_new AS is_new, dailystory_customers_pending.replaces AS replaces, dailystory_customers_pending.departed AS departed, dailystory_customers_pending.returns AS returns, dailystory_customers_pending.old_email AS old_email, dailystory_customers_pending.old_mobile AS old_mobile 
FROM dailystory_customers_pending 
WHERE dailystory_customers_pending.departed) AS departed JOIN dailystory_customers_contact_map ON dailystory_customers_contact_map.customer_id = departed.customer_id) AS departures 
WHERE departures.operation = $1::VARCHAR;

SELECT count(*) AS count_1 
FROM (SELECT departed.sequence AS sequence, departed.customer_id AS customer_id, CASE WHEN ((EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new AND dailystory_customers_judged.identity_email = departed.old_email)) OR (EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new AND dailystory_customers_judged.identity_mobile = departed.old_mobile))) THEN NULL ELSE $1::VARCHAR END AS operation, dailystory_customers_contact_map.dsid AS dsid, CASE WHEN ((EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new AND dailystory_customers_judged.identity_email = departed.old_email)) OR (EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new AND dailystory_customers_judged.identity_mobile = departed.old_mobile))) THEN NULL ELSE $1::VARCHAR END AS reason, CASE WHEN ((EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new AND dailystory_customers_judged.identity_email = departed.old_email)) OR (EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new AND dailystory_customers_judged.identity_mobile = departed.old_mobile))) THEN NULL ELSE $1::VARCHAR END AS message 
FROM (SELECT dailystory_customers_pending.sequence AS sequence, dailystory_customers_pending.customer_id AS customer_id, dailystory_customers_pending.field_email AS field_email, dailystory_customers_pending."field_firstName" AS "field_firstName", dailystory_customers_pending.field_city AS field_city, dailystory_customers_pending.custom_plan AS custom_plan, dailystory_customers_pending.differs_field_email AS differs_field_email, dailystory_customers_pending."differs_field_firstName" AS "differs_field_firstName", dailystory_customers_pending.differs_field_city AS differs_field_city, dailystory_customers_pending.differs_custom_plan AS differs_custom_plan, dailystory_customers_pending.is_new AS is_new, dailystory_customers_pending.replaces AS replaces, dailystory_customers_pending.departed AS departed, dailystory_customers_pending.returns AS returns, dailystory_customers_pending.old_email AS old_email, dailystory_customers_pending.old_mobile AS old_mobile 
FROM dailystory_customers_pending 
WHERE dailystory_customers_pending.departed) AS departed JOIN dailystory_customers_contact_map ON dailystory_customers_contact_map.customer_id = departed.customer_id) AS departures 
WHERE departures.operation = $1::VARCHAR;

SELECT count(*) AS count_1 
FROM dailystory_customers_changes 
WHERE dailystory_customers_changes.plan_id = $1::VARCHAR AND dailystory_customers_changes.operation IN ($1::VARCHAR);

SELECT count(*) AS count_1 
FROM dailystory_customers_changes 
WHERE dailystory_customers_changes.plan_id = $1::VARCHAR AND dailystory_customers_changes.operation IN ($1::VARCHAR) AND dailystory_customers_changes.outcome IS NOT NULL;

SELECT count(*) AS count_1 
FROM dailystory_customers_changes 
WHERE dailystory_customers_changes.plan_id = $1::VARCHAR AND dailystory_customers_changes.outcome IS NULL AND dailystory_customers_changes.operation IN ($1::VARCHAR) AND (dailystory_customers_changes.is_new OR dailystory_customers_changes.identity_changed) AND NOT coalesce(dailystory_customers_changes.rekeyed, false) AND dailystory_customers_changes.waits_for IS NULL AND ((EXISTS (SELECT * 
FROM dailystory_customers_snapshot 
WHERE dailystory_customers_snapshot.identity_email = dailystory_customers_changes.identity_email AND dailystory_customers_snapshot.absent_since IS NULL AND dailystory_customers_snapshot.customer_id != dailystory_customers_changes.customer_id)) OR (EXISTS (SELECT * 
FROM dailystory_customers_snapshot 
WHERE dailystory_customers_snapshot.identity_mobile = dailystory_customers_changes.identity_mobile AND dailystory_customers_snapshot.absent_since IS NULL AND dailystory_customers_snapshot.customer_id != dailystory_customers_changes.customer_id)) OR (EXISTS (SELECT * 
FROM dailystory_customers_intents 
WHERE lower(dailystory_customers_intents.email_as_sent) = dailystory_customers_changes.identity_email AND dailystory_customers_intents.customer_id != dailystory_customers_changes.customer_id)) OR (EXISTS (SELECT * 
FROM dailystory_customers_intents 
WHERE dailystory_customers_intents.mobile_as_sent = dailystory_customers_changes.identity_mobile AND dailystory_customers_intents.customer_id != dailystory_customers_changes.customer_id)));

SELECT count(*) AS count_1 
FROM dailystory_customers_changes 
WHERE dailystory_customers_changes.plan_id = $1::VARCHAR AND dailystory_customers_changes.outcome IS NULL AND dailystory_customers_changes.operation IN ($1::VARCHAR) AND dailystory_customers_changes.priority = $1::BIGINT AND (EXISTS (SELECT before.sequence 
FROM dailystory_customers_changes AS before 
WHERE before.plan_id = $1::VARCHAR AND before.sequence = dailystory_customers_changes.waits_for AND (coalesce(before.outcome, $1::VARCHAR) NOT IN ($1::VARCHAR))));

SELECT count(*) AS count_1 
FROM dailystory_customers_changes 
WHERE dailystory_customers_changes.plan_id = $1::VARCHAR AND dailystory_customers_changes.priority = $1::BIGINT AND dailystory_customers_changes.operation IN ($1::VARCHAR);

SELECT count(*) AS count_1 
FROM dailystory_customers_changes 
WHERE dailystory_customers_changes.plan_id = $1::VARCHAR AND dailystory_customers_changes.reason = $1::VARCHAR;

SELECT count(*) AS count_1 
FROM dailystory_customers_snapshot 
WHERE dailystory_customers_snapshot.absent_since IS NULL;

SELECT count(*) AS count_1, coalesce(sum(CASE WHEN (dailystory_customers_snapshot.absent_since IS NOT NULL) THEN $1::INTEGER ELSE $1::INTEGER END), $1::INTEGER) AS coalesce_1, coalesce(sum(CASE WHEN (dailystory_customers_snapshot.absent_since IS NULL AND CAST(coalesce((hashtextextended(CAST(dailystory_customers_snapshot.customer_id AS TEXT), $1::INTEGER) & 9223372036854775807) % 2, $1::INTEGER) AS BIGINT) = $1::BIGINT) THEN $1::INTEGER ELSE $1::INTEGER END), $1::INTEGER) AS coalesce_3 
FROM dailystory_customers_snapshot;

SELECT count(*) AS count_1, coalesce(sum(CASE WHEN (dailystory_customers_snapshot.absent_since IS NOT NULL) THEN $1::INTEGER ELSE $1::INTEGER END), $1::INTEGER) AS coalesce_1, coalesce(sum(CASE WHEN (dailystory_customers_snapshot.absent_since IS NULL) THEN $1::INTEGER ELSE $1::INTEGER END), $1::INTEGER) AS coalesce_3 
FROM dailystory_customers_snapshot;

SELECT count(*) AS count_1, count(source.customer_id) AS count_2 
FROM (SELECT source.customer_id AS customer_id, source.email AS field_email, source.first_name AS "field_firstName", source.city AS field_city, source.plan AS custom_plan 
FROM customers AS source) AS source 
WHERE CAST(coalesce((hashtextextended(CAST(source.customer_id AS TEXT), $1::INTEGER) & 9223372036854775807) % 2, $1::INTEGER) AS BIGINT) = $1::BIGINT;

SELECT count(*) AS count_1, count(source.customer_id) AS count_2 
FROM (SELECT source.customer_id AS customer_id, source.email AS field_email, source.first_name AS "field_firstName", source.city AS field_city, source.plan AS custom_plan 
FROM customers AS source) AS source 
WHERE EXISTS (SELECT * 
FROM dailystory_customers_rejections 
WHERE dailystory_customers_rejections.customer_id = source.customer_id);

SELECT count(*) AS count_1, count(source.customer_id) AS count_2 
FROM (SELECT source.customer_id AS customer_id, source.email AS field_email, source.first_name AS "field_firstName", source.city AS field_city, source.plan AS custom_plan 
FROM customers AS source) AS source 
WHERE source.customer_id = $1::INTEGER;

SELECT count(*) AS count_1, count(source.customer_id) AS count_2 
FROM (SELECT source.customer_id AS customer_id, source.email AS field_email, source.first_name AS "field_firstName", source.city AS field_city, source.plan AS custom_plan 
FROM customers AS source) AS source 
WHERE true;

SELECT count(*) AS count_1, count(source.customer_id) AS count_2 
FROM (SELECT source.customer_id AS customer_id, source.email AS field_email, source.first_name AS "field_firstName", source.city AS field_city, source.plan AS custom_plan 
FROM dailystory_customers_staged AS source) AS source 
WHERE true;

SELECT count(*) AS count_1, count(source.customer_id) AS count_2 
FROM (SELECT source.customer_id AS customer_id, source.email AS field_email, source.first_name AS "field_firstName", source.level AS field_city, source.plan AS "field_lastName", source.plan AS custom_plan 
FROM customers AS source) AS source 
WHERE true;

SELECT count(*) AS count_1, count(source.customer_id) AS count_2 
FROM dailystory_customers_staged AS source 
WHERE CAST(coalesce((hashtextextended(CAST(source.customer_id AS TEXT), $1::INTEGER) & 9223372036854775807) % 2, $1::INTEGER) AS BIGINT) = $1::BIGINT;

SELECT count(*) AS count_1, count(source.customer_id) AS count_2 
FROM dailystory_customers_staged AS source 
WHERE EXISTS (SELECT * 
FROM dailystory_customers_rejections 
WHERE dailystory_customers_rejections.customer_id = source.customer_id);

SELECT count(*) AS count_1, count(source.customer_id) AS count_2 
FROM dailystory_customers_staged AS source 
WHERE source.customer_id = $1::BIGINT;

SELECT count(*) AS count_1, count(source.customer_id) AS count_2 
FROM dailystory_customers_staged AS source 
WHERE true;

SELECT current_database() AS database, current_user AS role, coalesce($1, current_schema()) AS schema, has_database_privilege(current_database(), 'TEMPORARY') AS may_make_temporary;

SELECT dailystory_customers_changes.customer_id 
FROM dailystory_customers_changes 
WHERE dailystory_customers_changes.plan_id = $1::VARCHAR AND dailystory_customers_changes.sequence IN ($1::BIGINT);

SELECT dailystory_customers_changes.operation, count(*) AS count_1 
FROM dailystory_customers_changes 
WHERE dailystory_customers_changes.plan_id = $1::VARCHAR GROUP BY dailystory_customers_changes.operation;

SELECT dailystory_customers_changes.priority, count(*) AS count_1 
FROM dailystory_customers_changes 
WHERE dailystory_customers_changes.plan_id = $1::VARCHAR AND dailystory_customers_changes.outcome IS NULL AND dailystory_customers_changes.operation IN ($1::VARCHAR) GROUP BY dailystory_customers_changes.priority;

SELECT dailystory_customers_changes.sequence 
FROM dailystory_customers_changes 
WHERE dailystory_customers_changes.plan_id = $1::VARCHAR AND dailystory_customers_changes.rekeyed 
 LIMIT $1::INTEGER;

SELECT dailystory_customers_changes.sequence, coalesce(dailystory_customers_snapshot.identity_email = dailystory_customers_changes.identity_email OR dailystory_customers_snapshot.identity_mobile = dailystory_customers_changes.identity_mobile, $1) AS is_same, dailystory_customers_contact_map.customer_id 
FROM dailystory_customers_changes JOIN dailystory_customers_contact_map ON dailystory_customers_contact_map.dsid = dailystory_customers_changes.dsid JOIN dailystory_customers_snapshot ON dailystory_customers_snapshot.customer_id = dailystory_customers_contact_map.customer_id 
WHERE dailystory_customers_changes.plan_id = $1::VARCHAR AND dailystory_customers_changes.sequence IN ($1::BIGINT) AND dailystory_customers_contact_map.customer_id != dailystory_customers_changes.customer_id;

SELECT dailystory_customers_changes.sequence, dailystory_customers_changes.customer_id 
FROM dailystory_customers_changes 
WHERE dailystory_customers_changes.plan_id = $1::VARCHAR AND dailystory_customers_changes.sequence IN ($1::BIGINT);

SELECT dailystory_customers_changes.sequence, dailystory_customers_changes.customer_id, dailystory_customers_changes.field_email, dailystory_customers_changes."field_firstName", dailystory_customers_changes.field_city, coalesce(dailystory_customers_changes.custom_plan, dailystory_customers_snapshot.custom_plan) AS custom_plan, dailystory_customers_changes.differs_field_email, dailystory_customers_changes."differs_field_firstName", dailystory_customers_changes.differs_field_city, dailystory_customers_changes.differs_custom_plan, dailystory_customers_changes.is_new, dailystory_customers_changes.replaces, dailystory_customers_changes.operation AS operation, dailystory_customers_changes.dsid AS planned_dsid, dailystory_customers_changes.reactivates AS reactivates, dailystory_customers_changes.rekeyed AS rekeyed, dailystory_customers_changes.dropped_fields AS dropped_fields, dailystory_customers_snapshot.identity_email AS old_email, dailystory_customers_snapshot.identity_mobile AS old_mobile, dailystory_customers_changes.identity_email AS new_email, dailystory_customers_changes.identity_mobile AS new_mobile, coalesce(dailystory_customers_changes.absent_action, dailystory_customers_snapshot.absent_action) AS absent_action, dailystory_customers_contact_map.dsid AS mapped_dsid, dailystory_customers_contact_map.deleted_in_dailystory_at IS NOT NULL OR coalesce(dailystory_customers_changes.deleted_in_dailystory, false) OR false AS deleted_in_dailystory, dailystory_customers_intents.sent_at AS intent_at, dailystory_customers_intents.email_as_sent, dailystory_customers_intents.mobile_as_sent 
FROM dailystory_customers_changes LEFT OUTER JOIN dailystory_customers_snapshot ON dailystory_customers_changes.customer_id = dailystory_customers_snapshot.customer_id LEFT OUTER JOIN dailystory_customers_contact_map ON dailystory_customers_changes.customer_id = dailystory_customers_contact_map.customer_id LEFT OUTER JOIN dailystory_customers_intents ON dailystory_customers_changes.customer_id = dailystory_customers_intents.customer_id 
WHERE dailystory_customers_changes.plan_id = $1::VARCHAR AND dailystory_customers_changes.outcome IS NULL AND dailystory_customers_changes.operation IN ($1::VARCHAR) AND dailystory_customers_changes.priority = $1::BIGINT AND dailystory_customers_changes.sequence BETWEEN $1::BIGINT AND $1::BIGINT ORDER BY dailystory_customers_changes.sequence;

SELECT dailystory_customers_changes.sequence, dailystory_customers_changes.customer_id, dailystory_customers_changes.field_email, dailystory_customers_changes."field_firstName", dailystory_customers_changes.field_city, dailystory_customers_changes."field_lastName", coalesce(dailystory_customers_changes.custom_plan, dailystory_customers_snapshot.custom_plan) AS custom_plan, dailystory_customers_changes.differs_field_email, dailystory_customers_changes."differs_field_firstName", dailystory_customers_changes.differs_field_city, dailystory_customers_changes."differs_field_lastName", dailystory_customers_changes.differs_custom_plan, dailystory_customers_changes.is_new, dailystory_customers_changes.replaces, dailystory_customers_changes.operation AS operation, dailystory_customers_changes.dsid AS planned_dsid, dailystory_customers_changes.reactivates AS reactivates, dailystory_customers_changes.rekeyed AS rekeyed, dailystory_customers_changes.dropped_fields AS dropped_fields, dailystory_customers_snapshot.identity_email AS old_email, dailystory_customers_snapshot.identity_mobile AS old_mobile, dailystory_customers_changes.identity_email AS new_email, dailystory_customers_changes.identity_mobile AS new_mobile, coalesce(dailystory_customers_changes.absent_action, dailystory_customers_snapshot.absent_action) AS absent_action, dailystory_customers_contact_map.dsid AS mapped_dsid, dailystory_customers_contact_map.deleted_in_dailystory_at IS NOT NULL OR coalesce(dailystory_customers_changes.deleted_in_dailystory, false) OR false AS deleted_in_dailystory, dailystory_customers_intents.sent_at AS intent_at, dailystory_customers_intents.email_as_sent, dailystory_customers_intents.mobile_as_sent 
FROM dailystory_customers_changes LEFT OUTER JOIN dailystory_customers_snapshot ON dailystory_customers_changes.customer_id = dailystory_customers_snapshot.customer_id LEFT OUTER JOIN dailystory_customers_contact_map ON dailystory_customers_changes.customer_id = dailystory_customers_contact_map.customer_id LEFT OUTER JOIN dailystory_customers_intents ON dailystory_customers_changes.customer_id = dailystory_customers_intents.customer_id 
WHERE dailystory_customers_changes.plan_id = $1::VARCHAR AND dailystory_customers_changes.outcome IS NULL AND dailystory_customers_changes.operation IN ($1::VARCHAR) AND dailystory_customers_changes.priority = $1::BIGINT AND dailystory_customers_changes.sequence BETWEEN $1::BIGINT AND $1::BIGINT ORDER BY dailystory_customers_changes.sequence;

SELECT dailystory_customers_changes.sequence, dailystory_customers_snapshot.customer_id, dailystory_customers_snapshot.field_email, dailystory_customers_snapshot."field_firstName", dailystory_customers_snapshot.field_city, dailystory_customers_snapshot.custom_plan, dailystory_customers_snapshot.identity_email, dailystory_customers_snapshot.identity_mobile, dailystory_customers_snapshot.partition_value, dailystory_customers_snapshot.resend_all, dailystory_customers_snapshot.unknown_fields, dailystory_customers_snapshot.absent_since, dailystory_customers_snapshot.absent_action, dailystory_customers_snapshot.acknowledged_plan, dailystory_customers_snapshot.only_mapped 
FROM dailystory_customers_changes JOIN dailystory_customers_snapshot ON dailystory_customers_snapshot.customer_id = dailystory_customers_changes.customer_id 
WHERE dailystory_customers_changes.plan_id = $1::VARCHAR AND dailystory_customers_changes.sequence IN ($1::BIGINT);

SELECT dailystory_customers_contact_map.dsid 
FROM dailystory_customers_contact_map JOIN (SELECT r.dsid AS dsid 
FROM json_to_recordset(CAST($1::VARCHAR AS JSON)) AS r(dsid TEXT)) AS given ON dailystory_customers_contact_map.dsid = given.dsid JOIN dailystory_customers_snapshot ON dailystory_customers_snapshot.customer_id = dailystory_customers_contact_map.customer_id 
WHERE dailystory_customers_contact_map.deleted_at IS NULL AND dailystory_customers_snapshot.absent_since IS NULL;

SELECT dailystory_customers_contact_map.dsid 
FROM dailystory_customers_contact_map JOIN (SELECT r.dsid AS dsid 
FROM json_to_recordset(CAST($1::VARCHAR AS JSON)) AS r(dsid TEXT)) AS given ON dailystory_customers_contact_map.dsid = given.dsid JOIN dailystory_customers_snapshot ON dailystory_customers_snapshot.customer_id = dailystory_customers_contact_map.customer_id 
WHERE dailystory_customers_contact_map.deleted_at IS NULL AND dailystory_customers_snapshot.absent_since IS NULL AND NOT (EXISTS (SELECT dailystory_customers_changes.sequence 
FROM dailystory_customers_changes 
WHERE dailystory_customers_changes.plan_id = $1::VARCHAR AND dailystory_customers_changes.operation = $1::VARCHAR AND dailystory_customers_changes.customer_id = dailystory_customers_contact_map.customer_id));

SELECT dailystory_customers_intents.customer_id, dailystory_customers_intents.email_as_sent, dailystory_customers_intents.mobile_as_sent, dailystory_customers_intents.dsid, dailystory_customers_intents.plan_id, dailystory_customers_intents.sequence, dailystory_customers_intents.sent_at 
FROM dailystory_customers_intents;

SELECT dailystory_customers_judged.reason, count(*) AS count_1 
FROM dailystory_customers_judged 
WHERE dailystory_customers_judged.reason IS NOT NULL GROUP BY dailystory_customers_judged.reason;

SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged 
WHERE dailystory_customers_judged.reason IS NULL AND NOT dailystory_customers_judged.held AND (dailystory_customers_judged.operation = $1::VARCHAR OR dailystory_customers_judged.identity_changed) 
 LIMIT $1::INTEGER;

SELECT dailystory_customers_judged.sequence, dailystory_customers_judged.identity_email AS identity, dailystory_customers_pending.customer_id 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_judged.reason IS NULL AND NOT dailystory_customers_judged.held AND (dailystory_customers_judged.operation = $1::VARCHAR OR dailystory_customers_judged.identity_changed) AND dailystory_customers_judged.identity_email IN (SELECT dailystory_customers_judged.identity_email 
FROM dailystory_customers_judged 
WHERE dailystory_customers_judged.reason IS NULL AND NOT dailystory_customers_judged.held AND (dailystory_customers_judged.operation = $1::VARCHAR OR dailystory_customers_judged.identity_changed) AND dailystory_customers_judged.identity_email IS NOT NULL GROUP BY dailystory_customers_judged.identity_email 
HAVING count(*) > $1::INTEGER) ORDER BY dailystory_customers_judged.identity_email, dailystory_customers_judged.sequence;

SELECT dailystory_customers_judged.sequence, dailystory_customers_judged.identity_mobile AS identity, dailystory_customers_pending.customer_id 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_judged.reason IS NULL AND NOT dailystory_customers_judged.held AND (dailystory_customers_judged.operation = $1::VARCHAR OR dailystory_customers_judged.identity_changed) AND dailystory_customers_judged.identity_mobile IN (SELECT dailystory_customers_judged.identity_mobile 
FROM dailystory_customers_judged 
WHERE dailystory_customers_judged.reason IS NULL AND NOT dailystory_customers_judged.held AND (dailystory_customers_judged.operation = $1::VARCHAR OR dailystory_customers_judged.identity_changed) AND dailystory_customers_judged.identity_mobile IS NOT NULL GROUP BY dailystory_customers_judged.identity_mobile 
HAVING count(*) > $1::INTEGER) ORDER BY dailystory_customers_judged.identity_mobile, dailystory_customers_judged.sequence;

SELECT dailystory_customers_judged.sequence, dailystory_customers_judged.operation, dailystory_customers_pending.customer_id, dailystory_customers_snapshot.customer_id AS other_key_0, NOT (EXISTS (SELECT * 
FROM (SELECT source.customer_id AS customer_id, source.email AS field_email, source.first_name AS "field_firstName", source.city AS field_city, source.plan AS custom_plan 
FROM customers AS source) AS source 
WHERE dailystory_customers_snapshot.customer_id = source.customer_id)) AS leaves, dailystory_customers_contact_map.dsid AS other_dsid, coalesce(dailystory_customers_contact_map.deleted_at, dailystory_customers_contact_map.deactivated_at) AS taken_out_at, dailystory_customers_contact_map.deleted_in_dailystory_at IS NOT NULL AS deleted_in_dailystory, dailystory_customers_snapshot.absent_action, other_row.sequence AS other_sequence, other_row.reason IS NULL AND NOT other_row.held AND other_row.identity_email IS NOT NULL AND other_row.identity_email != dailystory_customers_judged.identity_email AS other_moves 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence JOIN dailystory_customers_snapshot ON dailystory_customers_snapshot.identity_email = dailystory_customers_judged.identity_email JOIN dailystory_customers_contact_map ON dailystory_customers_snapshot.customer_id = dailystory_customers_contact_map.customer_id LEFT OUTER JOIN (SELECT other.sequence AS sequence, other.operation AS operation, other.identity_email AS identity_email, other.identity_mobile AS identity_mobile, other.identity_changed AS identity_changed, other.reason AS reason, other.message AS message, other.held AS held, other.rekeyed AS rekeyed, other.reactivates AS reactivates, other.absent_action AS absent_action, other.deleted_in_dailystory AS deleted_in_dailystory, other.dsid AS dsid, other.waits_for AS waits_for, other.priority AS priority, other.dropped_fields AS dropped_fields, other_pending.customer_id AS customer_id 
FROM dailystory_customers_judged AS other JOIN dailystory_customers_pending AS other_pending ON other.sequence = other_pending.sequence) AS other_row ON dailystory_customers_snapshot.customer_id = other_row.customer_id 
WHERE dailystory_customers_judged.reason IS NULL AND NOT dailystory_customers_judged.held AND (dailystory_customers_judged.operation = $1::VARCHAR OR dailystory_customers_judged.identity_changed) ORDER BY dailystory_customers_judged.sequence, dailystory_customers_contact_map.deleted_at IS NOT NULL, dailystory_customers_contact_map.dsid;

SELECT dailystory_customers_judged.sequence, dailystory_customers_judged.operation, dailystory_customers_pending.customer_id, dailystory_customers_snapshot.customer_id AS other_key_0, NOT (EXISTS (SELECT * 
FROM (SELECT source.customer_id AS customer_id, source.email AS field_email, source.first_name AS "field_firstName", source.city AS field_city, source.plan AS custom_plan 
FROM customers AS source) AS source 
WHERE dailystory_customers_snapshot.customer_id = source.customer_id)) AS leaves, dailystory_customers_contact_map.dsid AS other_dsid, coalesce(dailystory_customers_contact_map.deleted_at, dailystory_customers_contact_map.deactivated_at) AS taken_out_at, dailystory_customers_contact_map.deleted_in_dailystory_at IS NOT NULL AS deleted_in_dailystory, dailystory_customers_snapshot.absent_action, other_row.sequence AS other_sequence, other_row.reason IS NULL AND NOT other_row.held AND other_row.identity_mobile IS NOT NULL AND other_row.identity_mobile != dailystory_customers_judged.identity_mobile AS other_moves 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence JOIN dailystory_customers_snapshot ON dailystory_customers_snapshot.identity_mobile = dailystory_customers_judged.identity_mobile JOIN dailystory_customers_contact_map ON dailystory_customers_snapshot.customer_id = dailystory_customers_contact_map.customer_id LEFT OUTER JOIN (SELECT other.sequence AS sequence, other.operation AS operation, other.identity_email AS identity_email, other.identity_mobile AS identity_mobile, other.identity_changed AS identity_changed, other.reason AS reason, other.message AS message, other.held AS held, other.rekeyed AS rekeyed, other.reactivates AS reactivates, other.absent_action AS absent_action, other.deleted_in_dailystory AS deleted_in_dailystory, other.dsid AS dsid, other.waits_for AS waits_for, other.priority AS priority, other.dropped_fields AS dropped_fields, other_pending.customer_id AS customer_id 
FROM dailystory_customers_judged AS other JOIN dailystory_customers_pending AS other_pending ON other.sequence = other_pending.sequence) AS other_row ON dailystory_customers_snapshot.customer_id = other_row.customer_id 
WHERE dailystory_customers_judged.reason IS NULL AND NOT dailystory_customers_judged.held AND (dailystory_customers_judged.operation = $1::VARCHAR OR dailystory_customers_judged.identity_changed) ORDER BY dailystory_customers_judged.sequence, dailystory_customers_contact_map.deleted_at IS NOT NULL, dailystory_customers_contact_map.dsid;

SELECT dailystory_customers_judged.sequence, dailystory_customers_judged.operation, dailystory_customers_pending.customer_id, dailystory_customers_snapshot.customer_id AS other_key_0, NOT (EXISTS (SELECT * 
FROM (SELECT source.customer_id AS customer_id, source.email AS field_email, source.first_name AS "field_firstName", source.city AS field_city, source.plan AS custom_plan 
FROM dailystory_customers_staged AS source) AS source 
WHERE dailystory_customers_snapshot.customer_id = source.customer_id)) AS leaves, dailystory_customers_contact_map.dsid AS other_dsid, coalesce(dailystory_customers_contact_map.deleted_at, dailystory_customers_contact_map.deactivated_at) AS taken_out_at, dailystory_customers_contact_map.deleted_in_dailystory_at IS NOT NULL AS deleted_in_dailystory, dailystory_customers_snapshot.absent_action, other_row.sequence AS other_sequence, other_row.reason IS NULL AND NOT other_row.held AND other_row.identity_email IS NOT NULL AND other_row.identity_email != dailystory_customers_judged.identity_email AS other_moves 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence JOIN dailystory_customers_snapshot ON dailystory_customers_snapshot.identity_email = dailystory_customers_judged.identity_email JOIN dailystory_customers_contact_map ON dailystory_customers_snapshot.customer_id = dailystory_customers_contact_map.customer_id LEFT OUTER JOIN (SELECT other.sequence AS sequence, other.operation AS operation, other.identity_email AS identity_email, other.identity_mobile AS identity_mobile, other.identity_changed AS identity_changed, other.reason AS reason, other.message AS message, other.held AS held, other.rekeyed AS rekeyed, other.reactivates AS reactivates, other.absent_action AS absent_action, other.deleted_in_dailystory AS deleted_in_dailystory, other.dsid AS dsid, other.waits_for AS waits_for, other.priority AS priority, other.dropped_fields AS dropped_fields, other_pending.customer_id AS customer_id 
FROM dailystory_customers_judged AS other JOIN dailystory_customers_pending AS other_pending ON other.sequence = other_pending.sequence) AS other_row ON dailystory_customers_snapshot.customer_id = other_row.customer_id 
WHERE dailystory_customers_judged.reason IS NULL AND NOT dailystory_customers_judged.held AND (dailystory_customers_judged.operation = $1::VARCHAR OR dailystory_customers_judged.identity_changed) ORDER BY dailystory_customers_judged.sequence, dailystory_customers_contact_map.deleted_at IS NOT NULL, dailystory_customers_contact_map.dsid;

SELECT dailystory_customers_judged.sequence, dailystory_customers_judged.operation, dailystory_customers_pending.customer_id, dailystory_customers_snapshot.customer_id AS other_key_0, NOT (EXISTS (SELECT * 
FROM (SELECT source.customer_id AS customer_id, source.email AS field_email, source.first_name AS "field_firstName", source.city AS field_city, source.plan AS custom_plan 
FROM dailystory_customers_staged AS source) AS source 
WHERE dailystory_customers_snapshot.customer_id = source.customer_id)) AS leaves, dailystory_customers_contact_map.dsid AS other_dsid, coalesce(dailystory_customers_contact_map.deleted_at, dailystory_customers_contact_map.deactivated_at) AS taken_out_at, dailystory_customers_contact_map.deleted_in_dailystory_at IS NOT NULL AS deleted_in_dailystory, dailystory_customers_snapshot.absent_action, other_row.sequence AS other_sequence, other_row.reason IS NULL AND NOT other_row.held AND other_row.identity_mobile IS NOT NULL AND other_row.identity_mobile != dailystory_customers_judged.identity_mobile AS other_moves 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence JOIN dailystory_customers_snapshot ON dailystory_customers_snapshot.identity_mobile = dailystory_customers_judged.identity_mobile JOIN dailystory_customers_contact_map ON dailystory_customers_snapshot.customer_id = dailystory_customers_contact_map.customer_id LEFT OUTER JOIN (SELECT other.sequence AS sequence, other.operation AS operation, other.identity_email AS identity_email, other.identity_mobile AS identity_mobile, other.identity_changed AS identity_changed, other.reason AS reason, other.message AS message, other.held AS held, other.rekeyed AS rekeyed, other.reactivates AS reactivates, other.absent_action AS absent_action, other.deleted_in_dailystory AS deleted_in_dailystory, other.dsid AS dsid, other.waits_for AS waits_for, other.priority AS priority, other.dropped_fields AS dropped_fields, other_pending.customer_id AS customer_id 
FROM dailystory_customers_judged AS other JOIN dailystory_customers_pending AS other_pending ON other.sequence = other_pending.sequence) AS other_row ON dailystory_customers_snapshot.customer_id = other_row.customer_id 
WHERE dailystory_customers_judged.reason IS NULL AND NOT dailystory_customers_judged.held AND (dailystory_customers_judged.operation = $1::VARCHAR OR dailystory_customers_judged.identity_changed) ORDER BY dailystory_customers_judged.sequence, dailystory_customers_contact_map.deleted_at IS NOT NULL, dailystory_customers_contact_map.dsid;

SELECT dailystory_customers_judged.sequence, dailystory_customers_judged.operation, dailystory_customers_pending.customer_id, dailystory_customers_snapshot.customer_id AS other_key_0, NOT (EXISTS (SELECT * 
FROM (SELECT source.customer_id AS customer_id, source.email AS field_email, source.first_name AS "field_firstName", source.level AS field_city, source.plan AS "field_lastName", source.plan AS custom_plan 
FROM customers AS source) AS source 
WHERE dailystory_customers_snapshot.customer_id = source.customer_id)) AS leaves, dailystory_customers_contact_map.dsid AS other_dsid, coalesce(dailystory_customers_contact_map.deleted_at, dailystory_customers_contact_map.deactivated_at) AS taken_out_at, dailystory_customers_contact_map.deleted_in_dailystory_at IS NOT NULL AS deleted_in_dailystory, dailystory_customers_snapshot.absent_action, other_row.sequence AS other_sequence, other_row.reason IS NULL AND NOT other_row.held AND other_row.identity_email IS NOT NULL AND other_row.identity_email != dailystory_customers_judged.identity_email AS other_moves 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence JOIN dailystory_customers_snapshot ON dailystory_customers_snapshot.identity_email = dailystory_customers_judged.identity_email JOIN dailystory_customers_contact_map ON dailystory_customers_snapshot.customer_id = dailystory_customers_contact_map.customer_id LEFT OUTER JOIN (SELECT other.sequence AS sequence, other.operation AS operation, other.identity_email AS identity_email, other.identity_mobile AS identity_mobile, other.identity_changed AS identity_changed, other.reason AS reason, other.message AS message, other.held AS held, other.rekeyed AS rekeyed, other.reactivates AS reactivates, other.absent_action AS absent_action, other.deleted_in_dailystory AS deleted_in_dailystory, other.dsid AS dsid, other.waits_for AS waits_for, other.priority AS priority, other.dropped_fields AS dropped_fields, other_pending.customer_id AS customer_id 
FROM dailystory_customers_judged AS other JOIN dailystory_customers_pending AS other_pending ON other.sequence = other_pending.sequence) AS other_row ON dailystory_customers_snapshot.customer_id = other_row.customer_id 
WHERE dailystory_customers_judged.reason IS NULL AND NOT dailystory_customers_judged.held AND (dailystory_customers_judged.operation = $1::VARCHAR OR dailystory_customers_judged.identity_changed) ORDER BY dailystory_customers_judged.sequence, dailystory_customers_contact_map.deleted_at IS NOT NULL, dailystory_customers_contact_map.dsid;

SELECT dailystory_customers_judged.sequence, dailystory_customers_judged.operation, dailystory_customers_pending.customer_id, dailystory_customers_snapshot.customer_id AS other_key_0, NOT (EXISTS (SELECT * 
FROM (SELECT source.customer_id AS customer_id, source.email AS field_email, source.first_name AS "field_firstName", source.level AS field_city, source.plan AS "field_lastName", source.plan AS custom_plan 
FROM customers AS source) AS source 
WHERE dailystory_customers_snapshot.customer_id = source.customer_id)) AS leaves, dailystory_customers_contact_map.dsid AS other_dsid, coalesce(dailystory_customers_contact_map.deleted_at, dailystory_customers_contact_map.deactivated_at) AS taken_out_at, dailystory_customers_contact_map.deleted_in_dailystory_at IS NOT NULL AS deleted_in_dailystory, dailystory_customers_snapshot.absent_action, other_row.sequence AS other_sequence, other_row.reason IS NULL AND NOT other_row.held AND other_row.identity_mobile IS NOT NULL AND other_row.identity_mobile != dailystory_customers_judged.identity_mobile AS other_moves 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence JOIN dailystory_customers_snapshot ON dailystory_customers_snapshot.identity_mobile = dailystory_customers_judged.identity_mobile JOIN dailystory_customers_contact_map ON dailystory_customers_snapshot.customer_id = dailystory_customers_contact_map.customer_id LEFT OUTER JOIN (SELECT other.sequence AS sequence, other.operation AS operation, other.identity_email AS identity_email, other.identity_mobile AS identity_mobile, other.identity_changed AS identity_changed, other.reason AS reason, other.message AS message, other.held AS held, other.rekeyed AS rekeyed, other.reactivates AS reactivates, other.absent_action AS absent_action, other.deleted_in_dailystory AS deleted_in_dailystory, other.dsid AS dsid, other.waits_for AS waits_for, other.priority AS priority, other.dropped_fields AS dropped_fields, other_pending.customer_id AS customer_id 
FROM dailystory_customers_judged AS other JOIN dailystory_customers_pending AS other_pending ON other.sequence = other_pending.sequence) AS other_row ON dailystory_customers_snapshot.customer_id = other_row.customer_id 
WHERE dailystory_customers_judged.reason IS NULL AND NOT dailystory_customers_judged.held AND (dailystory_customers_judged.operation = $1::VARCHAR OR dailystory_customers_judged.identity_changed) ORDER BY dailystory_customers_judged.sequence, dailystory_customers_contact_map.deleted_at IS NOT NULL, dailystory_customers_contact_map.dsid;

SELECT dailystory_customers_judged.sequence, dailystory_customers_judged.operation, dailystory_customers_pending.customer_id, dailystory_customers_snapshot.customer_id AS other_key_0, NOT (EXISTS (SELECT * 
FROM dailystory_customers_staged AS source 
WHERE source.customer_id = dailystory_customers_snapshot.customer_id)) AS leaves, dailystory_customers_contact_map.dsid AS other_dsid, coalesce(dailystory_customers_contact_map.deleted_at, dailystory_customers_contact_map.deactivated_at) AS taken_out_at, dailystory_customers_contact_map.deleted_in_dailystory_at IS NOT NULL AS deleted_in_dailystory, dailystory_customers_snapshot.absent_action, other_row.sequence AS other_sequence, other_row.reason IS NULL AND NOT other_row.held AND other_row.identity_email IS NOT NULL AND other_row.identity_email != dailystory_customers_judged.identity_email AS other_moves 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence JOIN dailystory_customers_snapshot ON dailystory_customers_snapshot.identity_email = dailystory_customers_judged.identity_email JOIN dailystory_customers_contact_map ON dailystory_customers_snapshot.customer_id = dailystory_customers_contact_map.customer_id LEFT OUTER JOIN (SELECT other.sequence AS sequence, other.operation AS operation, other.identity_email AS identity_email, other.identity_mobile AS identity_mobile, other.identity_changed AS identity_changed, other.reason AS reason, other.message AS message, other.held AS held, other.rekeyed AS rekeyed, other.reactivates AS reactivates, other.absent_action AS absent_action, other.deleted_in_dailystory AS deleted_in_dailystory, other.dsid AS dsid, other.waits_for AS waits_for, other.priority AS priority, other.dropped_fields AS dropped_fields, other_pending.customer_id AS customer_id 
FROM dailystory_customers_judged AS other JOIN dailystory_customers_pending AS other_pending ON other.sequence = other_pending.sequence) AS other_row ON dailystory_customers_snapshot.customer_id = other_row.customer_id 
WHERE dailystory_customers_judged.reason IS NULL AND NOT dailystory_customers_judged.held AND (dailystory_customers_judged.operation = $1::VARCHAR OR dailystory_customers_judged.identity_changed) ORDER BY dailystory_customers_judged.sequence, dailystory_customers_contact_map.deleted_at IS NOT NULL, dailystory_customers_contact_map.dsid;

SELECT dailystory_customers_judged.sequence, dailystory_customers_judged.operation, dailystory_customers_pending.customer_id, dailystory_customers_snapshot.customer_id AS other_key_0, NOT (EXISTS (SELECT * 
FROM dailystory_customers_staged AS source 
WHERE source.customer_id = dailystory_customers_snapshot.customer_id)) AS leaves, dailystory_customers_contact_map.dsid AS other_dsid, coalesce(dailystory_customers_contact_map.deleted_at, dailystory_customers_contact_map.deactivated_at) AS taken_out_at, dailystory_customers_contact_map.deleted_in_dailystory_at IS NOT NULL AS deleted_in_dailystory, dailystory_customers_snapshot.absent_action, other_row.sequence AS other_sequence, other_row.reason IS NULL AND NOT other_row.held AND other_row.identity_mobile IS NOT NULL AND other_row.identity_mobile != dailystory_customers_judged.identity_mobile AS other_moves 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence JOIN dailystory_customers_snapshot ON dailystory_customers_snapshot.identity_mobile = dailystory_customers_judged.identity_mobile JOIN dailystory_customers_contact_map ON dailystory_customers_snapshot.customer_id = dailystory_customers_contact_map.customer_id LEFT OUTER JOIN (SELECT other.sequence AS sequence, other.operation AS operation, other.identity_email AS identity_email, other.identity_mobile AS identity_mobile, other.identity_changed AS identity_changed, other.reason AS reason, other.message AS message, other.held AS held, other.rekeyed AS rekeyed, other.reactivates AS reactivates, other.absent_action AS absent_action, other.deleted_in_dailystory AS deleted_in_dailystory, other.dsid AS dsid, other.waits_for AS waits_for, other.priority AS priority, other.dropped_fields AS dropped_fields, other_pending.customer_id AS customer_id 
FROM dailystory_customers_judged AS other JOIN dailystory_customers_pending AS other_pending ON other.sequence = other_pending.sequence) AS other_row ON dailystory_customers_snapshot.customer_id = other_row.customer_id 
WHERE dailystory_customers_judged.reason IS NULL AND NOT dailystory_customers_judged.held AND (dailystory_customers_judged.operation = $1::VARCHAR OR dailystory_customers_judged.identity_changed) ORDER BY dailystory_customers_judged.sequence, dailystory_customers_contact_map.deleted_at IS NOT NULL, dailystory_customers_contact_map.dsid;

SELECT dailystory_customers_new_identities.sequence, dailystory_customers_new_identities.field_email 
FROM dailystory_customers_new_identities 
WHERE dailystory_customers_new_identities.sequence BETWEEN $1::INTEGER AND $1::INTEGER;

SELECT dailystory_customers_pending.customer_id 
FROM dailystory_customers_pending 
WHERE NOT dailystory_customers_pending.departed GROUP BY dailystory_customers_pending.customer_id 
HAVING count(*) > $1::INTEGER 
 LIMIT $1::INTEGER;

SELECT dailystory_customers_pending.sequence, dailystory_customers_pending.customer_id, dailystory_customers_pending.field_email, dailystory_customers_pending."field_firstName", dailystory_customers_pending.field_city, coalesce(dailystory_customers_pending.custom_plan, dailystory_customers_snapshot.custom_plan) AS custom_plan, dailystory_customers_pending.differs_field_email, dailystory_customers_pending."differs_field_firstName", dailystory_customers_pending.differs_field_city, dailystory_customers_pending.differs_custom_plan, dailystory_customers_pending.is_new, dailystory_customers_pending.replaces, NULL AS operation, NULL AS planned_dsid, NULL AS reactivates, NULL AS rekeyed, NULL AS dropped_fields, dailystory_customers_snapshot.identity_email AS old_email, dailystory_customers_snapshot.identity_mobile AS old_mobile, NULL AS new_email, NULL AS new_mobile, dailystory_customers_snapshot.absent_action AS absent_action, dailystory_customers_contact_map.dsid AS mapped_dsid, dailystory_customers_contact_map.deleted_in_dailystory_at IS NOT NULL AS deleted_in_dailystory, dailystory_customers_intents.sent_at AS intent_at, dailystory_customers_intents.email_as_sent, dailystory_customers_intents.mobile_as_sent 
FROM dailystory_customers_pending LEFT OUTER JOIN dailystory_customers_snapshot ON dailystory_customers_snapshot.customer_id = dailystory_customers_pending.customer_id LEFT OUTER JOIN dailystory_customers_contact_map ON dailystory_customers_contact_map.customer_id = dailystory_customers_pending.customer_id LEFT OUTER JOIN dailystory_customers_intents ON dailystory_customers_intents.customer_id = dailystory_customers_pending.customer_id 
WHERE NOT dailystory_customers_pending.departed AND NOT (EXISTS (SELECT * 
FROM dailystory_customers_judged 
WHERE dailystory_customers_judged.sequence = dailystory_customers_pending.sequence)) AND dailystory_customers_pending.sequence BETWEEN $1::BIGINT AND $1::BIGINT ORDER BY dailystory_customers_pending.sequence;

SELECT dailystory_customers_pending.sequence, dailystory_customers_pending.customer_id, dailystory_customers_pending.field_email, dailystory_customers_pending."field_firstName", dailystory_customers_pending.field_city, dailystory_customers_pending."field_lastName", coalesce(dailystory_customers_pending.custom_plan, dailystory_customers_snapshot.custom_plan) AS custom_plan, dailystory_customers_pending.differs_field_email, dailystory_customers_pending."differs_field_firstName", dailystory_customers_pending.differs_field_city, dailystory_customers_pending."differs_field_lastName", dailystory_customers_pending.differs_custom_plan, dailystory_customers_pending.is_new, dailystory_customers_pending.replaces, NULL AS operation, NULL AS planned_dsid, NULL AS reactivates, NULL AS rekeyed, NULL AS dropped_fields, dailystory_customers_snapshot.identity_email AS old_email, dailystory_customers_snapshot.identity_mobile AS old_mobile, NULL AS new_email, NULL AS new_mobile, dailystory_customers_snapshot.absent_action AS absent_action, dailystory_customers_contact_map.dsid AS mapped_dsid, dailystory_customers_contact_map.deleted_in_dailystory_at IS NOT NULL AS deleted_in_dailystory, dailystory_customers_intents.sent_at AS intent_at, dailystory_customers_intents.email_as_sent, dailystory_customers_intents.mobile_as_sent 
FROM dailystory_customers_pending LEFT OUTER JOIN dailystory_customers_snapshot ON dailystory_customers_snapshot.customer_id = dailystory_customers_pending.customer_id LEFT OUTER JOIN dailystory_customers_contact_map ON dailystory_customers_contact_map.customer_id = dailystory_customers_pending.customer_id LEFT OUTER JOIN dailystory_customers_intents ON dailystory_customers_intents.customer_id = dailystory_customers_pending.customer_id 
WHERE NOT dailystory_customers_pending.departed AND NOT (EXISTS (SELECT * 
FROM dailystory_customers_judged 
WHERE dailystory_customers_judged.sequence = dailystory_customers_pending.sequence)) AND dailystory_customers_pending.sequence BETWEEN $1::BIGINT AND $1::BIGINT ORDER BY dailystory_customers_pending.sequence;

SELECT dailystory_customers_rejections.customer_id, dailystory_customers_rejections.reason, dailystory_customers_rejections.message, dailystory_customers_rejections.fingerprint, dailystory_customers_rejections.opts_out, dailystory_customers_rejections.source_rows, dailystory_customers_rejections.attempts, dailystory_customers_rejections.first_seen_at, dailystory_customers_rejections.last_seen_at 
FROM dailystory_customers_rejections 
WHERE dailystory_customers_rejections.reason IN ($1::VARCHAR);

SELECT dailystory_customers_rejections.reason 
FROM dailystory_customers_rejections 
 LIMIT $1::INTEGER;

SELECT dailystory_customers_row_hashes.row_hash 
FROM dailystory_customers_row_hashes 
 LIMIT $1::INTEGER;

SELECT dailystory_customers_snapshot.customer_id, field_city AS text 
FROM dailystory_customers_snapshot 
WHERE field_city IS NOT NULL ORDER BY dailystory_customers_snapshot.customer_id 
 LIMIT $1::INTEGER OFFSET $1::INTEGER;

SELECT dailystory_meta.holder, dailystory_meta.fence 
FROM dailystory_meta 
WHERE dailystory_meta.name = $1::VARCHAR;

SELECT dailystory_meta.name 
FROM dailystory_meta 
WHERE (dailystory_meta.name LIKE $1::VARCHAR || '%' ESCAPE '/');

SELECT dailystory_meta.name 
FROM dailystory_meta 
WHERE dailystory_meta.name = $1::VARCHAR;

SELECT dailystory_meta.name, dailystory_meta.value 
FROM dailystory_meta;

SELECT dailystory_meta.name, dailystory_meta.value, dailystory_meta.holder, dailystory_meta.fence, dailystory_meta.heartbeat_at, dailystory_meta.run_id, dailystory_meta.taken_at 
FROM dailystory_meta 
WHERE (dailystory_meta.name LIKE $1::VARCHAR || '%' ESCAPE '/') ORDER BY dailystory_meta.fence, dailystory_meta.name;

SELECT dailystory_meta.name, dailystory_meta.value, dailystory_meta.holder, dailystory_meta.fence, dailystory_meta.heartbeat_at, dailystory_meta.run_id, dailystory_meta.taken_at 
FROM dailystory_meta 
WHERE dailystory_meta.name = $1::VARCHAR;

SELECT dailystory_meta.value 
FROM dailystory_meta 
WHERE dailystory_meta.name = $1::VARCHAR;

SELECT dailystory_plans.number 
FROM dailystory_plans 
WHERE dailystory_plans.plan_id = $1::VARCHAR;

SELECT dailystory_plans.partition_value, dailystory_plans.settings, dailystory_runs.rows_failed, dailystory_runs.rows_in_doubt 
FROM dailystory_plans JOIN dailystory_runs ON dailystory_runs.plan_id = dailystory_plans.plan_id 
WHERE dailystory_plans.sync_name = $1::VARCHAR AND dailystory_plans.whole_source AND dailystory_runs.outcome IN ($1::VARCHAR) AND dailystory_plans.plan_id = $1::VARCHAR ORDER BY dailystory_plans.number, dailystory_runs.finished_at;

SELECT dailystory_plans.plan_id 
FROM dailystory_plans 
WHERE dailystory_plans.sync_name = $1::VARCHAR AND dailystory_plans.number > $1::BIGINT AND dailystory_plans.sent_at IS NOT NULL 
 LIMIT $1::INTEGER;

SELECT dailystory_plans.plan_id 
FROM dailystory_plans 
WHERE dailystory_plans.sync_name = $1::VARCHAR AND dailystory_plans.status IN ($1::VARCHAR);

SELECT dailystory_plans.plan_id 
FROM dailystory_plans 
WHERE dailystory_plans.sync_name = $1::VARCHAR AND dailystory_plans.status IN ($1::VARCHAR) AND dailystory_plans.sent_at IS NOT NULL AND dailystory_plans.scope = $1::VARCHAR;

SELECT dailystory_plans.plan_id 
FROM dailystory_plans 
WHERE dailystory_plans.sync_name = $1::VARCHAR ORDER BY dailystory_plans.number DESC 
 LIMIT $1::INTEGER;

SELECT dailystory_plans.plan_id, dailystory_plans.left_priority, dailystory_plans.left_sequence 
FROM dailystory_plans 
WHERE dailystory_plans.sync_name = $1::VARCHAR AND dailystory_plans.status = $1::VARCHAR AND dailystory_plans.left_sequence IS NOT NULL;

SELECT dailystory_plans.plan_id, dailystory_plans.sync_name, dailystory_plans.partition_value, dailystory_plans.run_id, dailystory_plans.scope, dailystory_plans.options, dailystory_plans.mapping_version, dailystory_plans.destination, dailystory_plans.status, dailystory_plans.guards, dailystory_plans.changes_by_field, dailystory_plans.rejections_by_reason, dailystory_plans.settings, dailystory_plans.fields_dropped, dailystory_plans.new_custom_fields, dailystory_plans.opt_outs_waiting, dailystory_plans.number, dailystory_plans.rows_read, dailystory_plans.rows_unchanged, dailystory_plans.rows_to_create, dailystory_plans.rows_to_update, dailystory_plans.rows_to_delete, dailystory_plans.rows_rejected, dailystory_plans.rows_held, dailystory_plans.rows_delete_skipped_shared, dailystory_plans.opt_outs_to_send, dailystory_plans.opt_outs_pending, dailystory_plans.opt_outs_ahead, dailystory_plans.live_keys, dailystory_plans.whole_source, dailystory_plans.first_load, dailystory_plans.diff_seconds, dailystory_plans.created_at, dailystory_plans.expires_at, dailystory_plans.sent_at, dailystory_plans.finished_at, dailystory_plans.left_priority, dailystory_plans.left_sequence 
FROM dailystory_plans 
WHERE dailystory_plans.sync_name = $1::VARCHAR AND dailystory_plans.created_at >= $1::TIMESTAMP WITHOUT TIME ZONE AND (dailystory_plans.status NOT IN ($1::VARCHAR));

SELECT dailystory_plans.plan_id, dailystory_plans.sync_name, dailystory_plans.partition_value, dailystory_plans.run_id, dailystory_plans.scope, dailystory_plans.options, dailystory_plans.mapping_version, dailystory_plans.destination, dailystory_plans.status, dailystory_plans.guards, dailystory_plans.changes_by_field, dailystory_plans.rejections_by_reason, dailystory_plans.settings, dailystory_plans.fields_dropped, dailystory_plans.new_custom_fields, dailystory_plans.opt_outs_waiting, dailystory_plans.number, dailystory_plans.rows_read, dailystory_plans.rows_unchanged, dailystory_plans.rows_to_create, dailystory_plans.rows_to_update, dailystory_plans.rows_to_delete, dailystory_plans.rows_rejected, dailystory_plans.rows_held, dailystory_plans.rows_delete_skipped_shared, dailystory_plans.opt_outs_to_send, dailystory_plans.opt_outs_pending, dailystory_plans.opt_outs_ahead, dailystory_plans.live_keys, dailystory_plans.whole_source, dailystory_plans.first_load, dailystory_plans.diff_seconds, dailystory_plans.created_at, dailystory_plans.expires_at, dailystory_plans.sent_at, dailystory_plans.finished_at, dailystory_plans.left_priority, dailystory_plans.left_sequence 
FROM dailystory_plans 
WHERE dailystory_plans.sync_name = $1::VARCHAR AND dailystory_plans.run_id IN ($1::VARCHAR) AND dailystory_plans.partition_value IS NOT DISTINCT FROM $1::VARCHAR ORDER BY dailystory_plans.number DESC;

SELECT dailystory_plans.plan_id, dailystory_plans.sync_name, dailystory_plans.partition_value, dailystory_plans.run_id, dailystory_plans.scope, dailystory_plans.options, dailystory_plans.mapping_version, dailystory_plans.destination, dailystory_plans.status, dailystory_plans.guards, dailystory_plans.changes_by_field, dailystory_plans.rejections_by_reason, dailystory_plans.settings, dailystory_plans.fields_dropped, dailystory_plans.new_custom_fields, dailystory_plans.opt_outs_waiting, dailystory_plans.number, dailystory_plans.rows_read, dailystory_plans.rows_unchanged, dailystory_plans.rows_to_create, dailystory_plans.rows_to_update, dailystory_plans.rows_to_delete, dailystory_plans.rows_rejected, dailystory_plans.rows_held, dailystory_plans.rows_delete_skipped_shared, dailystory_plans.opt_outs_to_send, dailystory_plans.opt_outs_pending, dailystory_plans.opt_outs_ahead, dailystory_plans.live_keys, dailystory_plans.whole_source, dailystory_plans.first_load, dailystory_plans.diff_seconds, dailystory_plans.created_at, dailystory_plans.expires_at, dailystory_plans.sent_at, dailystory_plans.finished_at, dailystory_plans.left_priority, dailystory_plans.left_sequence 
FROM dailystory_plans 
WHERE dailystory_plans.sync_name = $1::VARCHAR AND dailystory_plans.run_id IN ($1::VARCHAR) AND dailystory_plans.partition_value IS NOT DISTINCT FROM NULL ORDER BY dailystory_plans.number DESC;

SELECT dailystory_plans.plan_id, dailystory_plans.sync_name, dailystory_plans.partition_value, dailystory_plans.run_id, dailystory_plans.scope, dailystory_plans.options, dailystory_plans.mapping_version, dailystory_plans.destination, dailystory_plans.status, dailystory_plans.guards, dailystory_plans.changes_by_field, dailystory_plans.rejections_by_reason, dailystory_plans.settings, dailystory_plans.fields_dropped, dailystory_plans.new_custom_fields, dailystory_plans.opt_outs_waiting, dailystory_plans.number, dailystory_plans.rows_read, dailystory_plans.rows_unchanged, dailystory_plans.rows_to_create, dailystory_plans.rows_to_update, dailystory_plans.rows_to_delete, dailystory_plans.rows_rejected, dailystory_plans.rows_held, dailystory_plans.rows_delete_skipped_shared, dailystory_plans.opt_outs_to_send, dailystory_plans.opt_outs_pending, dailystory_plans.opt_outs_ahead, dailystory_plans.live_keys, dailystory_plans.whole_source, dailystory_plans.first_load, dailystory_plans.diff_seconds, dailystory_plans.created_at, dailystory_plans.expires_at, dailystory_plans.sent_at, dailystory_plans.finished_at, dailystory_plans.left_priority, dailystory_plans.left_sequence 
FROM dailystory_plans 
WHERE dailystory_plans.sync_name = $1::VARCHAR AND dailystory_plans.status IN ($1::VARCHAR);

SELECT dailystory_runs.plan_id, sum(dailystory_runs.rows_created) AS sum_1, sum(dailystory_runs.rows_updated) AS sum_2 
FROM dailystory_runs 
WHERE dailystory_runs.plan_id IN (SELECT dailystory_plans.plan_id 
FROM dailystory_plans 
WHERE dailystory_plans.sync_name = $1::VARCHAR AND dailystory_plans.created_at >= $1::TIMESTAMP WITHOUT TIME ZONE AND (dailystory_plans.status NOT IN ($1::VARCHAR))) GROUP BY dailystory_runs.plan_id;

SELECT given.customer_id 
FROM (SELECT dailystory_customers_changes.customer_id AS customer_id 
FROM dailystory_customers_changes 
WHERE dailystory_customers_changes.plan_id = $1::VARCHAR AND dailystory_customers_changes.sequence IN ($1::BIGINT)) AS given 
WHERE given.customer_id IN (SELECT source.customer_id AS customer_id 
FROM customers AS source 
WHERE source.customer_id IS NOT NULL);

SELECT given.customer_id 
FROM (SELECT holders.customer_id AS customer_id 
FROM (SELECT dailystory_customers_changes.sequence AS sequence, coalesce(dailystory_customers_snapshot.identity_email = dailystory_customers_changes.identity_email OR dailystory_customers_snapshot.identity_mobile = dailystory_customers_changes.identity_mobile, $1) AS is_same, dailystory_customers_contact_map.customer_id AS customer_id 
FROM dailystory_customers_changes JOIN dailystory_customers_contact_map ON dailystory_customers_contact_map.dsid = dailystory_customers_changes.dsid JOIN dailystory_customers_snapshot ON dailystory_customers_snapshot.customer_id = dailystory_customers_contact_map.customer_id 
WHERE dailystory_customers_changes.plan_id = $1::VARCHAR AND dailystory_customers_changes.sequence IN ($1::BIGINT) AND dailystory_customers_contact_map.customer_id != dailystory_customers_changes.customer_id) AS holders) AS given 
WHERE given.customer_id IN (SELECT source.customer_id AS customer_id 
FROM customers AS source 
WHERE source.customer_id IS NOT NULL);

SELECT has_schema_privilege(oid, 'USAGE') AS may_use, has_schema_privilege(oid, 'CREATE') AS may_create FROM pg_catalog.pg_namespace WHERE nspname = $1;

SELECT holders.customer_id 
FROM (SELECT dailystory_customers_changes.sequence AS sequence, coalesce(dailystory_customers_snapshot.identity_email = dailystory_customers_changes.identity_email OR dailystory_customers_snapshot.identity_mobile = dailystory_customers_changes.identity_mobile, $1) AS is_same, dailystory_customers_contact_map.customer_id AS customer_id 
FROM dailystory_customers_changes JOIN dailystory_customers_contact_map ON dailystory_customers_contact_map.dsid = dailystory_customers_changes.dsid JOIN dailystory_customers_snapshot ON dailystory_customers_snapshot.customer_id = dailystory_customers_contact_map.customer_id 
WHERE dailystory_customers_changes.plan_id = $1::VARCHAR AND dailystory_customers_changes.sequence IN ($1::BIGINT) AND dailystory_customers_contact_map.customer_id != dailystory_customers_changes.customer_id) AS holders;

SELECT max(dailystory_customers_new_identities.sequence) AS max_1 
FROM dailystory_customers_new_identities;

SELECT max(dailystory_customers_pending.sequence) AS max_1 
FROM dailystory_customers_pending;

SELECT max(dailystory_plans.number) AS max_1 
FROM dailystory_plans 
WHERE dailystory_plans.sync_name = $1::VARCHAR;

SELECT min(dailystory_customers_changes.sequence) AS min_1, max(dailystory_customers_changes.sequence) AS max_1 
FROM dailystory_customers_changes 
WHERE dailystory_customers_changes.plan_id = $1::VARCHAR AND dailystory_customers_changes.outcome IS NULL AND dailystory_customers_changes.operation IN ($1::VARCHAR) AND dailystory_customers_changes.priority = $1::BIGINT;

SELECT min(dailystory_customers_pending.sequence) AS min_1, max(dailystory_customers_pending.sequence) AS max_1 
FROM dailystory_customers_pending 
WHERE NOT dailystory_customers_pending.departed AND NOT (EXISTS (SELECT * 
FROM dailystory_customers_judged 
WHERE dailystory_customers_judged.sequence = dailystory_customers_pending.sequence));

SELECT moved.dsid 
FROM (SELECT dailystory_customers_changes.customer_id AS customer_id, dailystory_customers_changes.dsid AS dsid 
FROM dailystory_customers_changes JOIN dailystory_customers_answers ON dailystory_customers_answers.sequence = dailystory_customers_changes.sequence 
WHERE dailystory_customers_changes.plan_id = $1::VARCHAR AND dailystory_customers_changes.sequence IN (SELECT dailystory_customers_answers.sequence 
FROM dailystory_customers_answers) AND dailystory_customers_answers.outcome IN ($1::VARCHAR) AND dailystory_customers_changes.rekeyed) AS moved 
 LIMIT $1::INTEGER;

SELECT ranked.customer_id, ranked.reason, ranked.message, ranked.source_rows 
FROM (SELECT found.customer_id AS customer_id, found.reason AS reason, found.message AS message, found.source_rows AS source_rows, row_number() OVER (PARTITION BY found.reason ORDER BY found.customer_id) AS place 
FROM (SELECT dailystory_customers_pending.customer_id AS customer_id, dailystory_customers_judged.reason AS reason, dailystory_customers_judged.message AS message, CAST($1::INTEGER AS BIGINT) AS source_rows 
FROM dailystory_customers_pending JOIN dailystory_customers_judged ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_judged.reason IS NOT NULL UNION ALL SELECT dailystory_customers_duplicates.customer_id AS customer_id, $1::VARCHAR AS reason, $1::VARCHAR AS message, dailystory_customers_duplicates.source_rows AS source_rows 
FROM dailystory_customers_duplicates) AS found) AS ranked 
WHERE ranked.place <= $1::INTEGER ORDER BY ranked.reason, ranked.place;

SELECT relname AS name, has_table_privilege(c.oid, 'SELECT') AS may_select, has_table_privilege(c.oid, 'INSERT') AS may_insert, has_table_privilege(c.oid, 'UPDATE') AS may_update, has_table_privilege(c.oid, 'DELETE') AS may_delete FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname IN ($1);

SELECT source.customer_id AS customer_id, source.email 
FROM customers AS source 
WHERE lower(trim(CAST(source.email AS VARCHAR))) IN ($1::VARCHAR);

UPDATE dailystory_customers_changes SET custom_plan=CASE WHEN (dailystory_customers_changes.custom_plan IS NULL) THEN (SELECT dailystory_customers_snapshot.custom_plan 
FROM dailystory_customers_contact_map JOIN dailystory_customers_snapshot ON dailystory_customers_contact_map.customer_id = dailystory_customers_snapshot.customer_id 
WHERE dailystory_customers_contact_map.dsid = dailystory_customers_changes.dsid 
 LIMIT $1::INTEGER) ELSE dailystory_customers_changes.custom_plan END WHERE dailystory_customers_changes.plan_id = $1::VARCHAR AND dailystory_customers_changes.rekeyed;

UPDATE dailystory_customers_changes SET dsid=coalesce(dailystory_customers_answers.dsid, dailystory_customers_changes.dsid), outcome=dailystory_customers_answers.outcome, reason=dailystory_customers_answers.reason, message=dailystory_customers_answers.message, attempts=dailystory_customers_answers.attempts, answered_at=dailystory_customers_answers.answered_at FROM dailystory_customers_answers WHERE dailystory_customers_changes.plan_id = $1::VARCHAR AND dailystory_customers_changes.sequence = dailystory_customers_answers.sequence;

UPDATE dailystory_customers_changes SET outcome=$1::VARCHAR WHERE dailystory_customers_changes.plan_id = $1::VARCHAR AND dailystory_customers_changes.outcome IN ($1::VARCHAR);

UPDATE dailystory_customers_changes SET outcome=$1::VARCHAR, answered_at=$1::TIMESTAMP WITHOUT TIME ZONE WHERE dailystory_customers_changes.plan_id = $1::VARCHAR AND dailystory_customers_changes.outcome IS NULL AND dailystory_customers_changes.operation = $1::VARCHAR OR dailystory_customers_changes.plan_id = $1::VARCHAR AND dailystory_customers_changes.outcome IS NULL AND dailystory_customers_changes.operation = $1::VARCHAR;

UPDATE dailystory_customers_changes SET outcome=$1::VARCHAR, message=$1::VARCHAR, answered_at=$1::TIMESTAMP WITHOUT TIME ZONE WHERE dailystory_customers_changes.plan_id = $1::VARCHAR AND dailystory_customers_changes.outcome IS NULL AND dailystory_customers_changes.operation IN ($1::VARCHAR) AND (dailystory_customers_changes.is_new OR dailystory_customers_changes.identity_changed) AND NOT coalesce(dailystory_customers_changes.rekeyed, false) AND dailystory_customers_changes.waits_for IS NULL AND ((EXISTS (SELECT * 
FROM dailystory_customers_snapshot 
WHERE dailystory_customers_snapshot.identity_email = dailystory_customers_changes.identity_email AND dailystory_customers_snapshot.absent_since IS NULL AND dailystory_customers_snapshot.customer_id != dailystory_customers_changes.customer_id)) OR (EXISTS (SELECT * 
FROM dailystory_customers_snapshot 
WHERE dailystory_customers_snapshot.identity_mobile = dailystory_customers_changes.identity_mobile AND dailystory_customers_snapshot.absent_since IS NULL AND dailystory_customers_snapshot.customer_id != dailystory_customers_changes.customer_id)) OR (EXISTS (SELECT * 
FROM dailystory_customers_intents 
WHERE lower(dailystory_customers_intents.email_as_sent) = dailystory_customers_changes.identity_email AND dailystory_customers_intents.customer_id != dailystory_customers_changes.customer_id)) OR (EXISTS (SELECT * 
FROM dailystory_customers_intents 
WHERE dailystory_customers_intents.mobile_as_sent = dailystory_customers_changes.identity_mobile AND dailystory_customers_intents.customer_id != dailystory_customers_changes.customer_id)));

UPDATE dailystory_customers_changes SET outcome=$1::VARCHAR, message=$1::VARCHAR, answered_at=$1::TIMESTAMP WITHOUT TIME ZONE WHERE dailystory_customers_changes.plan_id = $1::VARCHAR AND dailystory_customers_changes.outcome IS NULL AND dailystory_customers_changes.operation IN ($1::VARCHAR) AND dailystory_customers_changes.priority = $1::BIGINT AND (EXISTS (SELECT before.sequence 
FROM dailystory_customers_changes AS before 
WHERE before.plan_id = $1::VARCHAR AND before.sequence = dailystory_customers_changes.waits_for AND (coalesce(before.outcome, $1::VARCHAR) NOT IN ($1::VARCHAR))));

UPDATE dailystory_customers_contact_map SET customer_id=moved.customer_id FROM (SELECT dailystory_customers_changes.customer_id AS customer_id, dailystory_customers_changes.dsid AS dsid 
FROM dailystory_customers_changes JOIN dailystory_customers_answers ON dailystory_customers_answers.sequence = dailystory_customers_changes.sequence 
WHERE dailystory_customers_changes.plan_id = $1::VARCHAR AND dailystory_customers_changes.sequence IN (SELECT dailystory_customers_answers.sequence 
FROM dailystory_customers_answers) AND dailystory_customers_answers.outcome IN ($1::VARCHAR) AND dailystory_customers_changes.rekeyed) AS moved WHERE dailystory_customers_contact_map.dsid = moved.dsid AND dailystory_customers_contact_map.customer_id != moved.customer_id;

UPDATE dailystory_customers_contact_map SET deactivated_at=gone.answered_at FROM (SELECT dailystory_customers_changes.customer_id AS customer_id, dailystory_customers_answers.answered_at AS answered_at 
FROM dailystory_customers_changes JOIN dailystory_customers_answers ON dailystory_customers_answers.sequence = dailystory_customers_changes.sequence 
WHERE dailystory_customers_changes.plan_id = $1::VARCHAR AND dailystory_customers_changes.sequence IN (SELECT dailystory_customers_answers.sequence 
FROM dailystory_customers_answers) AND dailystory_customers_answers.outcome IN ($1::VARCHAR)) AS gone WHERE dailystory_customers_contact_map.customer_id = gone.customer_id;

UPDATE dailystory_customers_contact_map SET dsid=linked.dsid, last_synced_at=linked.answered_at, deactivated_at=NULL, deleted_at=NULL, deleted_in_dailystory_at=NULL FROM (SELECT dailystory_customers_changes.customer_id AS customer_id, dailystory_customers_answers.dsid AS dsid, dailystory_customers_answers.answered_at AS answered_at 
FROM dailystory_customers_changes JOIN dailystory_customers_answers ON dailystory_customers_answers.sequence = dailystory_customers_changes.sequence 
WHERE dailystory_customers_changes.plan_id = $1::VARCHAR AND dailystory_customers_changes.sequence IN (SELECT dailystory_customers_answers.sequence 
FROM dailystory_customers_answers) AND dailystory_customers_answers.outcome IN ($1::VARCHAR)) AS linked WHERE dailystory_customers_contact_map.customer_id = linked.customer_id;

UPDATE dailystory_customers_judged SET operation=given.operation, held=given.held, rekeyed=given.rekeyed, reactivates=given.reactivates, absent_action=given.absent_action, deleted_in_dailystory=given.deleted_in_dailystory, dsid=given.dsid FROM (SELECT r.sequence AS sequence, r.dsid AS dsid, r.operation AS operation, r.rekeyed AS rekeyed, r.reactivates AS reactivates, r.absent_action AS absent_action, r.deleted_in_dailystory AS deleted_in_dailystory, r.held AS held 
FROM json_to_recordset(CAST($1::VARCHAR AS JSON)) AS r(sequence BIGINT, dsid TEXT, operation TEXT, rekeyed BOOLEAN, reactivates BOOLEAN, absent_action TEXT, deleted_in_dailystory BOOLEAN, held BOOLEAN)) AS given WHERE dailystory_customers_judged.sequence = given.sequence;

UPDATE dailystory_customers_judged SET reason=given.reason, message=given.message FROM (SELECT r.sequence AS sequence, r.reason AS reason, r.message AS message 
FROM json_to_recordset(CAST($1::VARCHAR AS JSON)) AS r(sequence BIGINT, reason TEXT, message TEXT)) AS given WHERE dailystory_customers_judged.sequence = given.sequence;

UPDATE dailystory_customers_rejections SET message=found.message, source_rows=found.source_rows, last_seen_at=$1::TIMESTAMP WITHOUT TIME ZONE FROM (SELECT dailystory_customers_duplicates.customer_id AS customer_id, $1::VARCHAR AS reason, $1::VARCHAR AS message, dailystory_customers_duplicates.source_rows AS source_rows 
FROM dailystory_customers_duplicates) AS found WHERE dailystory_customers_rejections.customer_id = found.customer_id AND dailystory_customers_rejections.reason = found.reason;

UPDATE dailystory_customers_rejections SET message=found.message, source_rows=found.source_rows, last_seen_at=$1::TIMESTAMP WITHOUT TIME ZONE FROM (SELECT dailystory_customers_pending.customer_id AS customer_id, dailystory_customers_judged.reason AS reason, dailystory_customers_judged.message AS message, CAST($1::INTEGER AS BIGINT) AS source_rows 
FROM dailystory_customers_pending JOIN dailystory_customers_judged ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_judged.reason IS NOT NULL) AS found WHERE dailystory_customers_rejections.customer_id = found.customer_id AND dailystory_customers_rejections.reason = found.reason;

UPDATE dailystory_customers_rejections SET reason=found.reason, message=found.message, fingerprint=found.fingerprint, opts_out=found.opts_out, attempts=(dailystory_customers_rejections.attempts + $1::BIGINT), last_seen_at=$1::TIMESTAMP WITHOUT TIME ZONE FROM (SELECT dailystory_customers_changes.customer_id AS customer_id, given.reason AS reason, given.message AS message, given.fingerprint AS fingerprint, dailystory_customers_changes.operation = $1::VARCHAR AND false AS opts_out 
FROM dailystory_customers_changes JOIN (SELECT r.sequence AS sequence, r.reason AS reason, r.message AS message, r.fingerprint AS fingerprint 
FROM json_to_recordset(CAST($1::VARCHAR AS JSON)) AS r(sequence BIGINT, reason TEXT, message TEXT, fingerprint TEXT)) AS given ON dailystory_customers_changes.sequence = given.sequence 
WHERE dailystory_customers_changes.plan_id = $1::VARCHAR) AS found WHERE dailystory_customers_rejections.customer_id = found.customer_id;

UPDATE dailystory_customers_snapshot SET absent_since=coalesce(dailystory_customers_snapshot.absent_since, $1::TIMESTAMP WITHOUT TIME ZONE), absent_action=CASE WHEN (gone.reason = $1::VARCHAR) THEN $1::VARCHAR ELSE $1::VARCHAR END, acknowledged_plan=$1::BIGINT FROM (SELECT dailystory_customers_changes.customer_id AS customer_id, dailystory_customers_changes.reason AS reason 
FROM dailystory_customers_changes 
WHERE dailystory_customers_changes.plan_id = $1::VARCHAR AND dailystory_customers_changes.outcome IS NULL AND dailystory_customers_changes.operation = $1::VARCHAR) AS gone WHERE dailystory_customers_snapshot.customer_id = gone.customer_id;

UPDATE dailystory_customers_snapshot SET absent_since=coalesce(dailystory_customers_snapshot.absent_since, gone.answered_at), absent_action=$1::VARCHAR, acknowledged_plan=$1::BIGINT FROM (SELECT dailystory_customers_changes.customer_id AS customer_id, dailystory_customers_answers.answered_at AS answered_at 
FROM dailystory_customers_changes JOIN dailystory_customers_answers ON dailystory_customers_answers.sequence = dailystory_customers_changes.sequence 
WHERE dailystory_customers_changes.plan_id = $1::VARCHAR AND dailystory_customers_changes.sequence IN (SELECT dailystory_customers_answers.sequence 
FROM dailystory_customers_answers) AND dailystory_customers_answers.outcome IN ($1::VARCHAR)) AS gone WHERE dailystory_customers_snapshot.customer_id = gone.customer_id;

UPDATE dailystory_customers_snapshot SET customer_id=moved.customer_id FROM dailystory_customers_contact_map, (SELECT dailystory_customers_changes.customer_id AS customer_id, dailystory_customers_changes.dsid AS dsid 
FROM dailystory_customers_changes JOIN dailystory_customers_answers ON dailystory_customers_answers.sequence = dailystory_customers_changes.sequence 
WHERE dailystory_customers_changes.plan_id = $1::VARCHAR AND dailystory_customers_changes.sequence IN (SELECT dailystory_customers_answers.sequence 
FROM dailystory_customers_answers) AND dailystory_customers_answers.outcome IN ($1::VARCHAR) AND dailystory_customers_changes.rekeyed) AS moved WHERE dailystory_customers_snapshot.customer_id = dailystory_customers_contact_map.customer_id AND dailystory_customers_contact_map.dsid = moved.dsid AND dailystory_customers_contact_map.customer_id != moved.customer_id;

UPDATE dailystory_customers_snapshot SET field_email=CASE WHEN recorded.differs_field_email THEN recorded.field_email ELSE dailystory_customers_snapshot.field_email END, "field_firstName"=CASE WHEN recorded."differs_field_firstName" THEN recorded."field_firstName" ELSE dailystory_customers_snapshot."field_firstName" END, field_city=CASE WHEN recorded.differs_field_city THEN recorded.field_city ELSE dailystory_customers_snapshot.field_city END, custom_plan=CASE WHEN recorded.differs_custom_plan THEN recorded.custom_plan ELSE dailystory_customers_snapshot.custom_plan END, partition_value=coalesce(recorded.partition_value, dailystory_customers_snapshot.partition_value), acknowledged_plan=$1::BIGINT FROM (SELECT dailystory_customers_changes.plan_id AS plan_id, dailystory_customers_changes.sequence AS sequence, dailystory_customers_changes.customer_id AS customer_id, dailystory_customers_changes.operation AS operation, dailystory_customers_changes.partition_value AS partition_value, dailystory_customers_changes.identity_email AS identity_email, dailystory_customers_changes.identity_mobile AS identity_mobile, dailystory_customers_changes.is_new AS is_new, dailystory_customers_changes.replaces AS replaces, dailystory_customers_changes.identity_changed AS identity_changed, dailystory_customers_changes.rekeyed AS rekeyed, dailystory_customers_changes.reactivates AS reactivates, dailystory_customers_changes.absent_action AS absent_action, dailystory_customers_changes.deleted_in_dailystory AS deleted_in_dailystory, dailystory_customers_changes.dsid AS dsid, dailystory_customers_changes.priority AS priority, dailystory_customers_changes.waits_for AS waits_for, dailystory_customers_changes.field_email AS field_email, dailystory_customers_changes."field_firstName" AS "field_firstName", dailystory_customers_changes.field_city AS field_city, dailystory_customers_changes.custom_plan AS custom_plan, dailystory_customers_changes.differs_field_email AS differs_field_email, dailystory_customers_changes."differs_field_firstName" AS "differs_field_firstName", dailystory_customers_changes.differs_field_city AS differs_field_city, dailystory_customers_changes.differs_custom_plan AS differs_custom_plan, dailystory_customers_changes.dropped_fields AS dropped_fields, dailystory_customers_changes.outcome AS outcome, dailystory_customers_changes.reason AS reason, dailystory_customers_changes.message AS message, dailystory_customers_changes.attempts AS attempts, dailystory_customers_changes.answered_at AS answered_at 
FROM dailystory_customers_changes 
WHERE dailystory_customers_changes.plan_id = $1::VARCHAR AND dailystory_customers_changes.outcome IS NULL AND dailystory_customers_changes.operation = $1::VARCHAR) AS recorded WHERE dailystory_customers_snapshot.customer_id = recorded.customer_id;

UPDATE dailystory_customers_snapshot SET field_email=CASE WHEN sent.replaced THEN sent.field_email WHEN sent.differs_field_email THEN sent.field_email ELSE dailystory_customers_snapshot.field_email END, "field_firstName"=CASE WHEN sent.replaced THEN sent."field_firstName" WHEN sent."differs_field_firstName" THEN sent."field_firstName" ELSE dailystory_customers_snapshot."field_firstName" END, field_city=CASE WHEN sent.replaced THEN sent.field_city WHEN sent.differs_field_city THEN sent.field_city ELSE dailystory_customers_snapshot.field_city END, "field_lastName"=CASE WHEN sent.replaced THEN sent."field_lastName" WHEN sent."differs_field_lastName" THEN sent."field_lastName" ELSE dailystory_customers_snapshot."field_lastName" END, custom_plan=CASE WHEN sent.replaced THEN coalesce(sent.custom_plan, dailystory_customers_snapshot.custom_plan) WHEN sent.differs_custom_plan THEN sent.custom_plan ELSE dailystory_customers_snapshot.custom_plan END, identity_email=coalesce(sent.identity_email, dailystory_customers_snapshot.identity_email), identity_mobile=coalesce(sent.identity_mobile, dailystory_customers_snapshot.identity_mobile), partition_value=coalesce(sent.partition_value, dailystory_customers_snapshot.partition_value), resend_all=false, unknown_fields=NULL, absent_since=NULL, absent_action=NULL, acknowledged_plan=$1::BIGINT, only_mapped=false FROM (SELECT dailystory_customers_changes.customer_id AS customer_id, dailystory_customers_changes.field_email AS field_email, dailystory_customers_changes.differs_field_email AS differs_field_email, dailystory_customers_changes."field_firstName" AS "field_firstName", dailystory_customers_changes."differs_field_firstName" AS "differs_field_firstName", dailystory_customers_changes.field_city AS field_city, dailystory_customers_changes.differs_field_city AS differs_field_city, dailystory_customers_changes."field_lastName" AS "field_lastName", dailystory_customers_changes."differs_field_lastName" AS "differs_field_lastName", dailystory_customers_changes.custom_plan AS custom_plan, dailystory_customers_changes.differs_custom_plan AS differs_custom_plan, dailystory_customers_changes.identity_email AS identity_email, dailystory_customers_changes.identity_mobile AS identity_mobile, dailystory_customers_changes.partition_value AS partition_value, dailystory_customers_changes.dropped_fields AS dropped_fields, dailystory_customers_answers.is_other_contact AS is_other_contact, dailystory_customers_changes.replaces OR coalesce(dailystory_customers_answers.replaced, false) AS replaced 
FROM dailystory_customers_changes JOIN dailystory_customers_answers ON dailystory_customers_answers.sequence = dailystory_customers_changes.sequence 
WHERE dailystory_customers_changes.plan_id = $1::VARCHAR AND dailystory_customers_changes.sequence IN (SELECT dailystory_customers_answers.sequence 
FROM dailystory_customers_answers) AND dailystory_customers_answers.outcome IN ($1::VARCHAR)) AS sent WHERE dailystory_customers_snapshot.customer_id = sent.customer_id;

UPDATE dailystory_customers_snapshot SET field_email=CASE WHEN sent.replaced THEN sent.field_email WHEN sent.differs_field_email THEN sent.field_email ELSE dailystory_customers_snapshot.field_email END, "field_firstName"=CASE WHEN sent.replaced THEN sent."field_firstName" WHEN sent."differs_field_firstName" THEN sent."field_firstName" ELSE dailystory_customers_snapshot."field_firstName" END, field_city=CASE WHEN sent.replaced THEN sent.field_city WHEN sent.differs_field_city THEN sent.field_city ELSE dailystory_customers_snapshot.field_city END, custom_plan=CASE WHEN sent.replaced THEN coalesce(sent.custom_plan, dailystory_customers_snapshot.custom_plan) WHEN sent.differs_custom_plan THEN sent.custom_plan ELSE dailystory_customers_snapshot.custom_plan END, identity_email=coalesce(sent.identity_email, dailystory_customers_snapshot.identity_email), identity_mobile=coalesce(sent.identity_mobile, dailystory_customers_snapshot.identity_mobile), partition_value=coalesce(sent.partition_value, dailystory_customers_snapshot.partition_value), resend_all=false, unknown_fields=NULL, absent_since=NULL, absent_action=NULL, acknowledged_plan=$1::BIGINT, only_mapped=false FROM (SELECT dailystory_customers_changes.customer_id AS customer_id, dailystory_customers_changes.field_email AS field_email, dailystory_customers_changes.differs_field_email AS differs_field_email, dailystory_customers_changes."field_firstName" AS "field_firstName", dailystory_customers_changes."differs_field_firstName" AS "differs_field_firstName", dailystory_customers_changes.field_city AS field_city, dailystory_customers_changes.differs_field_city AS differs_field_city, dailystory_customers_changes.custom_plan AS custom_plan, dailystory_customers_changes.differs_custom_plan AS differs_custom_plan, dailystory_customers_changes.identity_email AS identity_email, dailystory_customers_changes.identity_mobile AS identity_mobile, dailystory_customers_changes.partition_value AS partition_value, dailystory_customers_changes.dropped_fields AS dropped_fields, dailystory_customers_answers.is_other_contact AS is_other_contact, dailystory_customers_changes.replaces OR coalesce(dailystory_customers_answers.replaced, false) AS replaced 
FROM dailystory_customers_changes JOIN dailystory_customers_answers ON dailystory_customers_answers.sequence = dailystory_customers_changes.sequence 
WHERE dailystory_customers_changes.plan_id = $1::VARCHAR AND dailystory_customers_changes.sequence IN (SELECT dailystory_customers_answers.sequence 
FROM dailystory_customers_answers) AND dailystory_customers_answers.outcome IN ($1::VARCHAR)) AS sent WHERE dailystory_customers_snapshot.customer_id = sent.customer_id;

UPDATE dailystory_customers_snapshot SET retyped_field_city=given.text FROM (SELECT r.customer_id AS customer_id, r.text AS text 
FROM json_to_recordset(CAST($1::VARCHAR AS JSON)) AS r(customer_id INTEGER, text INTEGER)) AS given WHERE dailystory_customers_snapshot.customer_id = given.customer_id;

UPDATE dailystory_meta SET heartbeat_at=$1::TIMESTAMP WITHOUT TIME ZONE WHERE dailystory_meta.name = $1::VARCHAR AND dailystory_meta.fence = $1::BIGINT;

UPDATE dailystory_meta SET holder=$1::VARCHAR WHERE dailystory_meta.name = $1::VARCHAR AND dailystory_meta.fence = $1::BIGINT;

UPDATE dailystory_meta SET holder=$1::VARCHAR, fence=$1::BIGINT, heartbeat_at=$1::TIMESTAMP WITHOUT TIME ZONE, run_id=$1::VARCHAR, taken_at=$1::TIMESTAMP WITHOUT TIME ZONE WHERE dailystory_meta.name = $1::VARCHAR AND dailystory_meta.fence = $1::BIGINT AND dailystory_meta.heartbeat_at = $1::TIMESTAMP WITHOUT TIME ZONE;

UPDATE dailystory_plans SET left_priority=$1::BIGINT, left_sequence=$1::BIGINT WHERE dailystory_plans.plan_id = $1::VARCHAR AND (dailystory_plans.left_priority IS NULL OR dailystory_plans.left_priority < $1::BIGINT OR dailystory_plans.left_priority = $1::BIGINT AND dailystory_plans.left_sequence < $1::BIGINT);

UPDATE dailystory_plans SET status=$1::VARCHAR WHERE dailystory_plans.plan_id IN (NULL) AND (1 != 1);

UPDATE dailystory_plans SET status=$1::VARCHAR, finished_at=$1::TIMESTAMP WITHOUT TIME ZONE WHERE dailystory_plans.plan_id = $1::VARCHAR AND dailystory_plans.status = $1::VARCHAR;

UPDATE dailystory_plans SET status=$1::VARCHAR, sent_at=$1::TIMESTAMP WITHOUT TIME ZONE WHERE dailystory_plans.plan_id = $1::VARCHAR AND dailystory_plans.status = $1::VARCHAR;
