ALTER TABLE dailystory_customers_changes ADD COLUMN "differs_field_lastName" BOOLEAN;

ALTER TABLE dailystory_customers_changes ADD COLUMN "field_lastName";

ALTER TABLE dailystory_customers_changes ADD COLUMN "field_lastName" TEXT;

ALTER TABLE dailystory_customers_snapshot ADD COLUMN "field_lastName";

ALTER TABLE dailystory_customers_snapshot ADD COLUMN "field_lastName" TEXT;

CREATE INDEX dailystory_customers_contact_map_759c46fa ON dailystory_customers_contact_map (dsid);

CREATE INDEX dailystory_customers_judged_sequence ON dailystory_customers_judged (sequence);

CREATE INDEX dailystory_customers_pending_customer_id ON dailystory_customers_pending (customer_id);

CREATE INDEX dailystory_customers_pending_sequence ON dailystory_customers_pending (sequence);

CREATE INDEX dailystory_customers_present_customer_id ON dailystory_customers_present (customer_id);

CREATE INDEX dailystory_customers_rejections_9a0e715d ON dailystory_customers_rejections (customer_id);

CREATE INDEX dailystory_customers_snapshot_55a2a2ee ON dailystory_customers_snapshot (identity_mobile);

CREATE INDEX dailystory_customers_snapshot_b33e3ec5 ON dailystory_customers_snapshot (identity_email);

CREATE INDEX dailystory_customers_staged_customer_id ON dailystory_customers_staged (customer_id);

CREATE TABLE dailystory_customers_changes (
	plan_id TEXT NOT NULL, 
	sequence BIGINT NOT NULL, 
	customer_id  NOT NULL, 
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
	field_email , 
	"field_firstName" , 
	field_city , 
	custom_plan , 
	differs_field_email BOOLEAN, 
	"differs_field_firstName" BOOLEAN, 
	differs_field_city BOOLEAN, 
	differs_custom_plan BOOLEAN, 
	dropped_fields TEXT, 
	outcome TEXT, 
	reason TEXT, 
	message TEXT, 
	attempts BIGINT, 
	answered_at DATETIME, 
	PRIMARY KEY (plan_id, sequence)
);

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
	answered_at DATETIME, 
	PRIMARY KEY (plan_id, sequence)
);

CREATE TABLE dailystory_customers_contact_map (
	customer_id  NOT NULL, 
	dsid TEXT NOT NULL, 
	first_synced_at DATETIME, 
	last_synced_at DATETIME, 
	deactivated_at DATETIME, 
	deleted_at DATETIME, 
	deleted_in_dailystory_at DATETIME, 
	PRIMARY KEY (customer_id)
);

CREATE TABLE dailystory_customers_contact_map (
	customer_id BIGINT NOT NULL, 
	dsid TEXT NOT NULL, 
	first_synced_at DATETIME, 
	last_synced_at DATETIME, 
	deactivated_at DATETIME, 
	deleted_at DATETIME, 
	deleted_in_dailystory_at DATETIME, 
	PRIMARY KEY (customer_id)
);

CREATE TABLE dailystory_customers_intents (
	customer_id  NOT NULL, 
	email_as_sent TEXT, 
	mobile_as_sent TEXT, 
	dsid TEXT, 
	plan_id TEXT, 
	sequence BIGINT, 
	sent_at DATETIME, 
	PRIMARY KEY (customer_id)
);

CREATE TABLE dailystory_customers_intents (
	customer_id BIGINT NOT NULL, 
	email_as_sent TEXT, 
	mobile_as_sent TEXT, 
	dsid TEXT, 
	plan_id TEXT, 
	sequence BIGINT, 
	sent_at DATETIME, 
	PRIMARY KEY (customer_id)
);

CREATE TABLE dailystory_customers_rejections (
	customer_id , 
	reason TEXT, 
	message TEXT, 
	fingerprint TEXT, 
	opts_out BOOLEAN, 
	source_rows BIGINT, 
	attempts BIGINT, 
	first_seen_at DATETIME, 
	last_seen_at DATETIME
);

CREATE TABLE dailystory_customers_rejections (
	customer_id BIGINT, 
	reason TEXT, 
	message TEXT, 
	fingerprint TEXT, 
	opts_out BOOLEAN, 
	source_rows BIGINT, 
	attempts BIGINT, 
	first_seen_at DATETIME, 
	last_seen_at DATETIME
);

CREATE TABLE dailystory_customers_row_hashes (
	customer_id  NOT NULL, 
	row_hash BIGINT, 
	PRIMARY KEY (customer_id)
);

CREATE TABLE dailystory_customers_row_hashes (
	customer_id BIGINT NOT NULL, 
	row_hash BIGINT, 
	PRIMARY KEY (customer_id)
);

CREATE TABLE dailystory_customers_snapshot (
	customer_id  NOT NULL, 
	field_email , 
	"field_firstName" , 
	field_city , 
	custom_plan , 
	identity_email TEXT, 
	identity_mobile TEXT, 
	partition_value TEXT, 
	resend_all BOOLEAN, 
	unknown_fields TEXT, 
	absent_since DATETIME, 
	absent_action TEXT, 
	acknowledged_plan BIGINT, 
	only_mapped BOOLEAN, 
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
	absent_since DATETIME, 
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
	heartbeat_at DATETIME, 
	run_id TEXT, 
	taken_at DATETIME, 
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
	diff_seconds FLOAT, 
	created_at DATETIME, 
	expires_at DATETIME, 
	sent_at DATETIME, 
	finished_at DATETIME, 
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
	started_at DATETIME, 
	finished_at DATETIME, 
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
	send_seconds FLOAT
);

CREATE TEMPORARY TABLE dailystory_customers_answers (
	sequence BIGINT NOT NULL, 
	outcome TEXT, 
	dsid TEXT, 
	reason TEXT, 
	message TEXT, 
	attempts BIGINT, 
	answered_at DATETIME, 
	replaced BOOLEAN, 
	is_other_contact BOOLEAN, 
	PRIMARY KEY (sequence)
);

CREATE TEMPORARY TABLE dailystory_customers_duplicates AS SELECT dailystory_customers_present.customer_id, coalesce(sum(CASE WHEN 1 = 1 THEN 1 ELSE 0 END), 0) AS source_rows 
FROM dailystory_customers_present 
WHERE dailystory_customers_present.customer_id IS NOT NULL GROUP BY dailystory_customers_present.customer_id 
HAVING count(*) > 1 AND coalesce(sum(CASE WHEN 1 = 1 THEN 1 ELSE 0 END), 0) > 0;

CREATE TEMPORARY TABLE dailystory_customers_duplicates AS SELECT source.customer_id, coalesce(sum(CASE WHEN (CAST(coalesce(dailystory_hash(CAST(source.customer_id AS TEXT)) % 2, 0) AS BIGINT) = 1) THEN 1 ELSE 0 END), 0) AS source_rows 
FROM (SELECT source.customer_id AS customer_id, nullif(source.email, '') AS field_email, nullif(source.first_name, '') AS "field_firstName", nullif(source.city, '') AS field_city, nullif(source."plan", '') AS custom_plan 
FROM customers AS source) AS source 
WHERE source.customer_id IS NOT NULL GROUP BY source.customer_id 
HAVING count(*) > 1 AND coalesce(sum(CASE WHEN (CAST(coalesce(dailystory_hash(CAST(source.customer_id AS TEXT)) % 2, 0) AS BIGINT) = 1) THEN 1 ELSE 0 END), 0) > 0;

CREATE TEMPORARY TABLE dailystory_customers_duplicates AS SELECT source.customer_id, coalesce(sum(CASE WHEN (CAST(coalesce(dailystory_hash(CAST(source.customer_id AS TEXT)) % 2, 0) AS BIGINT) = 1) THEN 1 ELSE 0 END), 0) AS source_rows 
FROM dailystory_customers_staged AS source 
WHERE source.customer_id IS NOT NULL GROUP BY source.customer_id 
HAVING count(*) > 1 AND coalesce(sum(CASE WHEN (CAST(coalesce(dailystory_hash(CAST(source.customer_id AS TEXT)) % 2, 0) AS BIGINT) = 1) THEN 1 ELSE 0 END), 0) > 0;

CREATE TEMPORARY TABLE dailystory_customers_duplicates AS SELECT source.customer_id, coalesce(sum(CASE WHEN (EXISTS (SELECT * 
FROM dailystory_customers_rejections 
WHERE dailystory_customers_rejections.customer_id = source.customer_id)) THEN 1 ELSE 0 END), 0) AS source_rows 
FROM (SELECT source.customer_id AS customer_id, nullif(source.email, '') AS field_email, nullif(source.first_name, '') AS "field_firstName", nullif(source.city, '') AS field_city, nullif(source."plan", '') AS custom_plan 
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

CREATE TEMPORARY TABLE dailystory_customers_duplicates AS SELECT source.customer_id, coalesce(sum(CASE WHEN (source.customer_id = 5 OR source.customer_id = '5') THEN 1 ELSE 0 END), 0) AS source_rows 
FROM (SELECT source.customer_id AS customer_id, nullif(source.email, '') AS field_email, nullif(source.first_name, '') AS "field_firstName", nullif(source.city, '') AS field_city, nullif(source."plan", '') AS custom_plan 
FROM customers AS source) AS source 
WHERE source.customer_id IS NOT NULL GROUP BY source.customer_id 
HAVING count(*) > 1 AND coalesce(sum(CASE WHEN (source.customer_id = 5 OR source.customer_id = '5') THEN 1 ELSE 0 END), 0) > 0;

CREATE TEMPORARY TABLE dailystory_customers_duplicates AS SELECT source.customer_id, coalesce(sum(CASE WHEN (source.customer_id = 5) THEN 1 ELSE 0 END), 0) AS source_rows 
FROM dailystory_customers_staged AS source 
WHERE source.customer_id IS NOT NULL GROUP BY source.customer_id 
HAVING count(*) > 1 AND coalesce(sum(CASE WHEN (source.customer_id = 5) THEN 1 ELSE 0 END), 0) > 0;

CREATE TEMPORARY TABLE dailystory_customers_duplicates AS SELECT source.customer_id, coalesce(sum(CASE WHEN 1 = 1 THEN 1 ELSE 0 END), 0) AS source_rows 
FROM (SELECT source.customer_id AS customer_id, nullif(source.email, '') AS field_email, nullif(source.first_name, '') AS "field_firstName", nullif(source.city, '') AS field_city, nullif(source."plan", '') AS custom_plan 
FROM customers AS source) AS source 
WHERE source.customer_id IS NOT NULL GROUP BY source.customer_id 
HAVING count(*) > 1 AND coalesce(sum(CASE WHEN 1 = 1 THEN 1 ELSE 0 END), 0) > 0;

CREATE TEMPORARY TABLE dailystory_customers_duplicates AS SELECT source.customer_id, coalesce(sum(CASE WHEN 1 = 1 THEN 1 ELSE 0 END), 0) AS source_rows 
FROM (SELECT source.customer_id AS customer_id, nullif(source.email, '') AS field_email, nullif(source.first_name, '') AS "field_firstName", nullif(source.city, '') AS field_city, nullif(source."plan", '') AS custom_plan 
FROM dailystory_customers_staged AS source) AS source 
WHERE source.customer_id IS NOT NULL GROUP BY source.customer_id 
HAVING count(*) > 1 AND coalesce(sum(CASE WHEN 1 = 1 THEN 1 ELSE 0 END), 0) > 0;

CREATE TEMPORARY TABLE dailystory_customers_duplicates AS SELECT source.customer_id, coalesce(sum(CASE WHEN 1 = 1 THEN 1 ELSE 0 END), 0) AS source_rows 
FROM (SELECT source.customer_id AS customer_id, nullif(source.email, '') AS field_email, nullif(source.first_name, '') AS "field_firstName", nullif(source.level, '') AS field_city, nullif(source."plan", '') AS "field_lastName", nullif(source."plan", '') AS custom_plan 
FROM customers AS source) AS source 
WHERE source.customer_id IS NOT NULL GROUP BY source.customer_id 
HAVING count(*) > 1 AND coalesce(sum(CASE WHEN 1 = 1 THEN 1 ELSE 0 END), 0) > 0;

CREATE TEMPORARY TABLE dailystory_customers_duplicates AS SELECT source.customer_id, coalesce(sum(CASE WHEN 1 = 1 THEN 1 ELSE 0 END), 0) AS source_rows 
FROM dailystory_customers_staged AS source 
WHERE source.customer_id IS NOT NULL GROUP BY source.customer_id 
HAVING count(*) > 1 AND coalesce(sum(CASE WHEN 1 = 1 THEN 1 ELSE 0 END), 0) > 0;

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
FROM (SELECT source.customer_id AS customer_id, nullif(source.email, '') AS field_email, nullif(source.first_name, '') AS "field_firstName", nullif(source.city, '') AS field_city, nullif(source."plan", '') AS custom_plan 
FROM customers AS source) AS source LEFT OUTER JOIN dailystory_customers_snapshot ON dailystory_customers_snapshot.customer_id = source.customer_id LEFT OUTER JOIN dailystory_customers_pending ON source.customer_id = dailystory_customers_pending.customer_id AND dailystory_customers_pending.departed = 0 
WHERE dailystory_customers_snapshot.customer_id IS NULL AND dailystory_customers_pending.customer_id IS NULL AND source.field_email IS NOT NULL) AS found;

CREATE TEMPORARY TABLE dailystory_customers_new_identities AS SELECT row_number() OVER () AS sequence, found.field_email 
FROM (SELECT source.field_email AS field_email 
FROM dailystory_customers_staged AS source LEFT OUTER JOIN dailystory_customers_snapshot ON source.customer_id = dailystory_customers_snapshot.customer_id LEFT OUTER JOIN dailystory_customers_pending ON source.customer_id = dailystory_customers_pending.customer_id AND dailystory_customers_pending.departed = 0 
WHERE dailystory_customers_snapshot.customer_id IS NULL AND dailystory_customers_pending.customer_id IS NULL AND source.field_email IS NOT NULL) AS found;

CREATE TEMPORARY TABLE dailystory_customers_newcomers (
	identity_email TEXT, 
	identity_mobile TEXT
);

CREATE TEMPORARY TABLE dailystory_customers_pending AS SELECT row_number() OVER (ORDER BY differing.departed, differing.customer_id) + CAST(0 AS BIGINT) AS sequence, differing.customer_id, differing.field_email AS field_email, differing."field_firstName" AS "field_firstName", differing.field_city AS field_city, differing."field_lastName" AS "field_lastName", differing.custom_plan AS custom_plan, (differing.field_email COLLATE "BINARY") IS NOT (differing.old_field_email COLLATE "BINARY") AND coalesce(typeof(differing.field_email) != typeof(differing.old_field_email) AND CAST(differing.field_email AS TEXT) = CAST(differing.old_field_email AS TEXT), 0) = 0 AND differing.field_email IS NOT NULL OR differing.replaces = 1 AND differing.field_email IS NOT NULL AS differs_field_email, (differing."field_firstName" COLLATE "BINARY") IS NOT (differing."old_field_firstName" COLLATE "BINARY") AND coalesce(typeof(differing."field_firstName") != typeof(differing."old_field_firstName") AND CAST(differing."field_firstName" AS TEXT) = CAST(differing."old_field_firstName" AS TEXT), 0) = 0 AND differing."field_firstName" IS NOT NULL OR differing.replaces = 1 AND differing."field_firstName" IS NOT NULL AS "differs_field_firstName", (differing.field_city COLLATE "BINARY") IS NOT (differing.old_field_city COLLATE "BINARY") AND coalesce(typeof(differing.field_city) != typeof(differing.old_field_city) AND CAST(differing.field_city AS TEXT) = CAST(differing.old_field_city AS TEXT), 0) = 0 AND differing.field_city IS NOT NULL OR differing.replaces = 1 AND differing.field_city IS NOT NULL AS differs_field_city, (differing."field_lastName" COLLATE "BINARY") IS NOT (differing."old_field_lastName" COLLATE "BINARY") AND coalesce(typeof(differing."field_lastName") != typeof(differing."old_field_lastName") AND CAST(differing."field_lastName" AS TEXT) = CAST(differing."old_field_lastName" AS TEXT), 0) = 0 AND differing."field_lastName" IS NOT NULL OR differing.replaces = 1 AND differing."field_lastName" IS NOT NULL AS "differs_field_lastName", (differing.custom_plan COLLATE "BINARY") IS NOT (differing.old_custom_plan COLLATE "BINARY") AND coalesce(typeof(differing.custom_plan) != typeof(differing.old_custom_plan) AND CAST(differing.custom_plan AS TEXT) = CAST(differing.old_custom_plan AS TEXT), 0) = 0 AND differing.custom_plan IS NOT NULL OR differing.replaces = 1 AND differing.custom_plan IS NOT NULL AS differs_custom_plan, differing.is_new, differing.replaces, differing.departed, differing.returns, differing.old_email, differing.old_mobile 
FROM (SELECT source.customer_id AS customer_id, source.field_email AS field_email, source."field_firstName" AS "field_firstName", source.field_city AS field_city, source."field_lastName" AS "field_lastName", source.custom_plan AS custom_plan, dailystory_customers_snapshot.field_email AS old_field_email, dailystory_customers_snapshot."field_firstName" AS "old_field_firstName", dailystory_customers_snapshot.field_city AS old_field_city, dailystory_customers_snapshot."field_lastName" AS "old_field_lastName", dailystory_customers_snapshot.custom_plan AS old_custom_plan, dailystory_customers_snapshot.customer_id IS NULL AS is_new, dailystory_customers_snapshot.customer_id IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL OR coalesce(dailystory_customers_snapshot.resend_all, 0) = 1 AS replaces, 0 AS departed, dailystory_customers_snapshot.absent_since IS NOT NULL AS returns, dailystory_customers_snapshot.identity_email AS old_email, dailystory_customers_snapshot.identity_mobile AS old_mobile 
FROM (SELECT source.customer_id AS customer_id, nullif(source.email, '') AS field_email, nullif(source.first_name, '') AS "field_firstName", nullif(source.level, '') AS field_city, nullif(source."plan", '') AS "field_lastName", nullif(source."plan", '') AS custom_plan 
FROM customers AS source) AS source LEFT OUTER JOIN dailystory_customers_snapshot ON dailystory_customers_snapshot.customer_id = source.customer_id 
WHERE source.customer_id IS NOT NULL AND 1 = 1 AND (dailystory_customers_snapshot.customer_id IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL OR coalesce(dailystory_customers_snapshot.resend_all, 0) = 1 OR (source.field_email COLLATE "BINARY") IS NOT (dailystory_customers_snapshot.field_email COLLATE "BINARY") AND coalesce(typeof(source.field_email) != typeof(dailystory_customers_snapshot.field_email) AND CAST(source.field_email AS TEXT) = CAST(dailystory_customers_snapshot.field_email AS TEXT), 0) = 0 AND source.field_email IS NOT NULL OR (source."field_firstName" COLLATE "BINARY") IS NOT (dailystory_customers_snapshot."field_firstName" COLLATE "BINARY") AND coalesce(typeof(source."field_firstName") != typeof(dailystory_customers_snapshot."field_firstName") AND CAST(source."field_firstName" AS TEXT) = CAST(dailystory_customers_snapshot."field_firstName" AS TEXT), 0) = 0 AND source."field_firstName" IS NOT NULL OR (source.field_city COLLATE "BINARY") IS NOT (dailystory_customers_snapshot.field_city COLLATE "BINARY") AND coalesce(typeof(source.field_city) != typeof(dailystory_customers_snapshot.field_city) AND CAST(source.field_city AS TEXT) = CAST(dailystory_customers_snapshot.field_city AS TEXT), 0) = 0 AND source.field_city IS NOT NULL OR (source."field_lastName" COLLATE "BINARY") IS NOT (dailystory_customers_snapshot."field_lastName" COLLATE "BINARY") AND coalesce(typeof(source."field_lastName") != typeof(dailystory_customers_snapshot."field_lastName") AND CAST(source."field_lastName" AS TEXT) = CAST(dailystory_customers_snapshot."field_lastName" AS TEXT), 0) = 0 AND source."field_lastName" IS NOT NULL OR (source.custom_plan COLLATE "BINARY") IS NOT (dailystory_customers_snapshot.custom_plan COLLATE "BINARY") AND coalesce(typeof(source.custom_plan) != typeof(dailystory_customers_snapshot.custom_plan) AND CAST(source.custom_plan AS TEXT) = CAST(dailystory_customers_snapshot.custom_plan AS TEXT), 0) = 0 AND source.custom_plan IS NOT NULL)) AS differing;

CREATE TEMPORARY TABLE dailystory_customers_pending AS SELECT row_number() OVER (ORDER BY differing.departed, differing.customer_id) + CAST(0 AS BIGINT) AS sequence, differing.customer_id, differing.field_email AS field_email, differing."field_firstName" AS "field_firstName", differing.field_city AS field_city, differing.custom_plan AS custom_plan, (differing.field_email COLLATE "BINARY") IS NOT (differing.old_field_email COLLATE "BINARY") AND coalesce(typeof(differing.field_email) != typeof(differing.old_field_email) AND CAST(differing.field_email AS TEXT) = CAST(differing.old_field_email AS TEXT), 0) = 0 AND differing.field_email IS NOT NULL OR differing.replaces = 1 AND differing.field_email IS NOT NULL AS differs_field_email, (differing."field_firstName" COLLATE "BINARY") IS NOT (differing."old_field_firstName" COLLATE "BINARY") AND coalesce(typeof(differing."field_firstName") != typeof(differing."old_field_firstName") AND CAST(differing."field_firstName" AS TEXT) = CAST(differing."old_field_firstName" AS TEXT), 0) = 0 AND differing."field_firstName" IS NOT NULL OR differing.replaces = 1 AND differing."field_firstName" IS NOT NULL AS "differs_field_firstName", (differing.field_city COLLATE "BINARY") IS NOT (differing.old_field_city COLLATE "BINARY") AND coalesce(typeof(differing.field_city) != typeof(differing.old_field_city) AND CAST(differing.field_city AS TEXT) = CAST(differing.old_field_city AS TEXT), 0) = 0 AND differing.field_city IS NOT NULL OR differing.replaces = 1 AND differing.field_city IS NOT NULL AS differs_field_city, (differing.custom_plan COLLATE "BINARY") IS NOT (differing.old_custom_plan COLLATE "BINARY") AND coalesce(typeof(differing.custom_plan) != typeof(differing.old_custom_plan) AND CAST(differing.custom_plan AS TEXT) = CAST(differing.old_custom_plan AS TEXT), 0) = 0 AND differing.custom_plan IS NOT NULL OR differing.replaces = 1 AND differing.custom_plan IS NOT NULL AS differs_custom_plan, differing.is_new, differing.replaces, differing.departed, differing.returns, differing.old_email, differing.old_mobile 
FROM (SELECT source.customer_id AS customer_id, source.field_email AS field_email, source."field_firstName" AS "field_firstName", source.field_city AS field_city, source.custom_plan AS custom_plan, dailystory_customers_snapshot.field_email AS old_field_email, dailystory_customers_snapshot."field_firstName" AS "old_field_firstName", dailystory_customers_snapshot.field_city AS old_field_city, dailystory_customers_snapshot.custom_plan AS old_custom_plan, dailystory_customers_snapshot.customer_id IS NULL AS is_new, dailystory_customers_snapshot.customer_id IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL OR coalesce(dailystory_customers_snapshot.resend_all, 0) = 1 AS replaces, 0 AS departed, dailystory_customers_snapshot.absent_since IS NOT NULL AS returns, dailystory_customers_snapshot.identity_email AS old_email, dailystory_customers_snapshot.identity_mobile AS old_mobile 
FROM (SELECT source.customer_id AS customer_id, nullif(source.email, '') AS field_email, nullif(source.first_name, '') AS "field_firstName", nullif(source.city, '') AS field_city, nullif(source."plan", '') AS custom_plan 
FROM customers AS source) AS source LEFT OUTER JOIN dailystory_customers_snapshot ON dailystory_customers_snapshot.customer_id = source.customer_id 
WHERE source.customer_id IS NOT NULL AND CAST(coalesce(dailystory_hash(CAST(source.customer_id AS TEXT)) % 2, 0) AS BIGINT) = 1 AND (dailystory_customers_snapshot.customer_id IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL OR coalesce(dailystory_customers_snapshot.resend_all, 0) = 1 OR (source.field_email COLLATE "BINARY") IS NOT (dailystory_customers_snapshot.field_email COLLATE "BINARY") AND coalesce(typeof(source.field_email) != typeof(dailystory_customers_snapshot.field_email) AND CAST(source.field_email AS TEXT) = CAST(dailystory_customers_snapshot.field_email AS TEXT), 0) = 0 AND source.field_email IS NOT NULL OR (source."field_firstName" COLLATE "BINARY") IS NOT (dailystory_customers_snapshot."field_firstName" COLLATE "BINARY") AND coalesce(typeof(source."field_firstName") != typeof(dailystory_customers_snapshot."field_firstName") AND CAST(source."field_firstName" AS TEXT) = CAST(dailystory_customers_snapshot."field_firstName" AS TEXT), 0) = 0 AND source."field_firstName" IS NOT NULL OR (source.field_city COLLATE "BINARY") IS NOT (dailystory_customers_snapshot.field_city COLLATE "BINARY") AND coalesce(typeof(source.field_city) != typeof(dailystory_customers_snapshot.field_city) AND CAST(source.field_city AS TEXT) = CAST(dailystory_customers_snapshot.field_city AS TEXT), 0) = 0 AND source.field_city IS NOT NULL OR (source.custom_plan COLLATE "BINARY") IS NOT (dailystory_customers_snapshot.custom_plan COLLATE "BINARY") AND coalesce(typeof(source.custom_plan) != typeof(dailystory_customers_snapshot.custom_plan) AND CAST(source.custom_plan AS TEXT) = CAST(dailystory_customers_snapshot.custom_plan AS TEXT), 0) = 0 AND source.custom_plan IS NOT NULL)) AS differing;

CREATE TEMPORARY TABLE dailystory_customers_pending AS SELECT row_number() OVER (ORDER BY differing.departed, differing.customer_id) + CAST(0 AS BIGINT) AS sequence, differing.customer_id, differing.field_email AS field_email, differing."field_firstName" AS "field_firstName", differing.field_city AS field_city, differing.custom_plan AS custom_plan, (differing.field_email COLLATE "BINARY") IS NOT (differing.old_field_email COLLATE "BINARY") AND coalesce(typeof(differing.field_email) != typeof(differing.old_field_email) AND CAST(differing.field_email AS TEXT) = CAST(differing.old_field_email AS TEXT), 0) = 0 AND differing.field_email IS NOT NULL OR differing.replaces = 1 AND differing.field_email IS NOT NULL AS differs_field_email, (differing."field_firstName" COLLATE "BINARY") IS NOT (differing."old_field_firstName" COLLATE "BINARY") AND coalesce(typeof(differing."field_firstName") != typeof(differing."old_field_firstName") AND CAST(differing."field_firstName" AS TEXT) = CAST(differing."old_field_firstName" AS TEXT), 0) = 0 AND differing."field_firstName" IS NOT NULL OR differing.replaces = 1 AND differing."field_firstName" IS NOT NULL AS "differs_field_firstName", (differing.field_city COLLATE "BINARY") IS NOT (differing.old_field_city COLLATE "BINARY") AND coalesce(typeof(differing.field_city) != typeof(differing.old_field_city) AND CAST(differing.field_city AS TEXT) = CAST(differing.old_field_city AS TEXT), 0) = 0 AND differing.field_city IS NOT NULL OR differing.replaces = 1 AND differing.field_city IS NOT NULL AS differs_field_city, (differing.custom_plan COLLATE "BINARY") IS NOT (differing.old_custom_plan COLLATE "BINARY") AND coalesce(typeof(differing.custom_plan) != typeof(differing.old_custom_plan) AND CAST(differing.custom_plan AS TEXT) = CAST(differing.old_custom_plan AS TEXT), 0) = 0 AND differing.custom_plan IS NOT NULL OR differing.replaces = 1 AND differing.custom_plan IS NOT NULL AS differs_custom_plan, differing.is_new, differing.replaces, differing.departed, differing.returns, differing.old_email, differing.old_mobile 
FROM (SELECT source.customer_id AS customer_id, source.field_email AS field_email, source."field_firstName" AS "field_firstName", source.field_city AS field_city, source.custom_plan AS custom_plan, dailystory_customers_snapshot.field_email AS old_field_email, dailystory_customers_snapshot."field_firstName" AS "old_field_firstName", dailystory_customers_snapshot.field_city AS old_field_city, dailystory_customers_snapshot.custom_plan AS old_custom_plan, dailystory_customers_snapshot.customer_id IS NULL AS is_new, dailystory_customers_snapshot.customer_id IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL OR coalesce(dailystory_customers_snapshot.resend_all, 0) = 1 AS replaces, 0 AS departed, dailystory_customers_snapshot.absent_since IS NOT NULL AS returns, dailystory_customers_snapshot.identity_email AS old_email, dailystory_customers_snapshot.identity_mobile AS old_mobile 
FROM (SELECT source.customer_id AS customer_id, nullif(source.email, '') AS field_email, nullif(source.first_name, '') AS "field_firstName", nullif(source.city, '') AS field_city, nullif(source."plan", '') AS custom_plan 
FROM dailystory_customers_staged AS source) AS source LEFT OUTER JOIN dailystory_customers_snapshot ON dailystory_customers_snapshot.customer_id = source.customer_id 
WHERE source.customer_id IS NOT NULL AND 1 = 1 AND (dailystory_customers_snapshot.customer_id IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL OR coalesce(dailystory_customers_snapshot.resend_all, 0) = 1 OR (source.field_email COLLATE "BINARY") IS NOT (dailystory_customers_snapshot.field_email COLLATE "BINARY") AND coalesce(typeof(source.field_email) != typeof(dailystory_customers_snapshot.field_email) AND CAST(source.field_email AS TEXT) = CAST(dailystory_customers_snapshot.field_email AS TEXT), 0) = 0 AND source.field_email IS NOT NULL OR (source."field_firstName" COLLATE "BINARY") IS NOT (dailystory_customers_snapshot."field_firstName" COLLATE "BINARY") AND coalesce(typeof(source."field_firstName") != typeof(dailystory_customers_snapshot."field_firstName") AND CAST(source."field_firstName" AS TEXT) = CAST(dailystory_customers_snapshot."field_firstName" AS TEXT), 0) = 0 AND source."field_firstName" IS NOT NULL OR (source.field_city COLLATE "BINARY") IS NOT (dailystory_customers_snapshot.field_city COLLATE "BINARY") AND coalesce(typeof(source.field_city) != typeof(dailystory_customers_snapshot.field_city) AND CAST(source.field_city AS TEXT) = CAST(dailystory_customers_snapshot.field_city AS TEXT), 0) = 0 AND source.field_city IS NOT NULL OR (source.custom_plan COLLATE "BINARY") IS NOT (dailystory_customers_snapshot.custom_plan COLLATE "BINARY") AND coalesce(typeof(source.custom_plan) != typeof(dailystory_customers_snapshot.custom_plan) AND CAST(source.custom_plan AS TEXT) = CAST(dailystory_customers_snapshot.custom_plan AS TEXT), 0) = 0 AND source.custom_plan IS NOT NULL)) AS differing;

CREATE TEMPORARY TABLE dailystory_customers_pending AS SELECT row_number() OVER (ORDER BY differing.departed, differing.customer_id) + CAST(0 AS BIGINT) AS sequence, differing.customer_id, differing.field_email AS field_email, differing."field_firstName" AS "field_firstName", differing.field_city AS field_city, differing.custom_plan AS custom_plan, (differing.field_email COLLATE "BINARY") IS NOT (differing.old_field_email COLLATE "BINARY") AND coalesce(typeof(differing.field_email) != typeof(differing.old_field_email) AND CAST(differing.field_email AS TEXT) = CAST(differing.old_field_email AS TEXT), 0) = 0 AND differing.field_email IS NOT NULL OR differing.replaces = 1 AND differing.field_email IS NOT NULL AS differs_field_email, (differing."field_firstName" COLLATE "BINARY") IS NOT (differing."old_field_firstName" COLLATE "BINARY") AND coalesce(typeof(differing."field_firstName") != typeof(differing."old_field_firstName") AND CAST(differing."field_firstName" AS TEXT) = CAST(differing."old_field_firstName" AS TEXT), 0) = 0 AND differing."field_firstName" IS NOT NULL OR differing.replaces = 1 AND differing."field_firstName" IS NOT NULL AS "differs_field_firstName", (differing.field_city COLLATE "BINARY") IS NOT (differing.old_field_city COLLATE "BINARY") AND coalesce(typeof(differing.field_city) != typeof(differing.old_field_city) AND CAST(differing.field_city AS TEXT) = CAST(differing.old_field_city AS TEXT), 0) = 0 AND differing.field_city IS NOT differing.old_field_city OR differing.unknown_fields IS NOT NULL AND differing.field_city IS NULL AND coalesce((differing.unknown_fields LIKE '%' || '"field/_city"' || '%' ESCAPE '/'), 0) = 1 OR differing.replaces = 1 AND differing.field_city IS NOT NULL AS differs_field_city, (differing.custom_plan COLLATE "BINARY") IS NOT (differing.old_custom_plan COLLATE "BINARY") AND coalesce(typeof(differing.custom_plan) != typeof(differing.old_custom_plan) AND CAST(differing.custom_plan AS TEXT) = CAST(differing.old_custom_plan AS TEXT), 0) = 0 AND differing.custom_plan IS NOT NULL OR differing.replaces = 1 AND differing.custom_plan IS NOT NULL AS differs_custom_plan, differing.is_new, differing.replaces, differing.departed, differing.returns, differing.old_email, differing.old_mobile 
FROM (SELECT source.customer_id AS customer_id, source.field_email AS field_email, source."field_firstName" AS "field_firstName", source.field_city AS field_city, source.custom_plan AS custom_plan, dailystory_customers_snapshot.field_email AS old_field_email, dailystory_customers_snapshot."field_firstName" AS "old_field_firstName", dailystory_customers_snapshot.field_city AS old_field_city, dailystory_customers_snapshot.custom_plan AS old_custom_plan, dailystory_customers_snapshot.customer_id IS NULL AS is_new, 1 AS replaces, 0 AS departed, dailystory_customers_snapshot.absent_since IS NOT NULL AS returns, dailystory_customers_snapshot.identity_email AS old_email, dailystory_customers_snapshot.identity_mobile AS old_mobile, dailystory_customers_snapshot.unknown_fields AS unknown_fields 
FROM (SELECT source.customer_id AS customer_id, nullif(source.email, '') AS field_email, nullif(source.first_name, '') AS "field_firstName", nullif(source.city, '') AS field_city, nullif(source."plan", '') AS custom_plan 
FROM customers AS source) AS source LEFT OUTER JOIN dailystory_customers_snapshot ON dailystory_customers_snapshot.customer_id = source.customer_id 
WHERE source.customer_id IS NOT NULL AND 1 = 1) AS differing;

CREATE TEMPORARY TABLE dailystory_customers_pending AS SELECT row_number() OVER (ORDER BY differing.departed, differing.customer_id) + CAST(0 AS BIGINT) AS sequence, differing.customer_id, differing.field_email AS field_email, differing."field_firstName" AS "field_firstName", differing.field_city AS field_city, differing.custom_plan AS custom_plan, (differing.field_email COLLATE "BINARY") IS NOT (differing.old_field_email COLLATE "BINARY") AND coalesce(typeof(differing.field_email) != typeof(differing.old_field_email) AND CAST(differing.field_email AS TEXT) = CAST(differing.old_field_email AS TEXT), 0) = 0 AND differing.field_email IS NOT NULL OR differing.replaces = 1 AND differing.field_email IS NOT NULL AS differs_field_email, (differing."field_firstName" COLLATE "BINARY") IS NOT (differing."old_field_firstName" COLLATE "BINARY") AND coalesce(typeof(differing."field_firstName") != typeof(differing."old_field_firstName") AND CAST(differing."field_firstName" AS TEXT) = CAST(differing."old_field_firstName" AS TEXT), 0) = 0 AND differing."field_firstName" IS NOT NULL OR differing.replaces = 1 AND differing."field_firstName" IS NOT NULL AS "differs_field_firstName", (differing.field_city COLLATE "BINARY") IS NOT (differing.old_field_city COLLATE "BINARY") AND coalesce(typeof(differing.field_city) != typeof(differing.old_field_city) AND CAST(differing.field_city AS TEXT) = CAST(differing.old_field_city AS TEXT), 0) = 0 AND differing.field_city IS NOT differing.old_field_city OR differing.unknown_fields IS NOT NULL AND differing.field_city IS NULL AND coalesce((differing.unknown_fields LIKE '%' || '"field/_city"' || '%' ESCAPE '/'), 0) = 1 OR differing.replaces = 1 AND differing.field_city IS NOT NULL AS differs_field_city, (differing.custom_plan COLLATE "BINARY") IS NOT (differing.old_custom_plan COLLATE "BINARY") AND coalesce(typeof(differing.custom_plan) != typeof(differing.old_custom_plan) AND CAST(differing.custom_plan AS TEXT) = CAST(differing.old_custom_plan AS TEXT), 0) = 0 AND differing.custom_plan IS NOT NULL OR differing.replaces = 1 AND differing.custom_plan IS NOT NULL AS differs_custom_plan, differing.is_new, differing.replaces, differing.departed, differing.returns, differing.old_email, differing.old_mobile 
FROM (SELECT source.customer_id AS customer_id, source.field_email AS field_email, source."field_firstName" AS "field_firstName", source.field_city AS field_city, source.custom_plan AS custom_plan, dailystory_customers_snapshot.field_email AS old_field_email, dailystory_customers_snapshot."field_firstName" AS "old_field_firstName", dailystory_customers_snapshot.field_city AS old_field_city, dailystory_customers_snapshot.custom_plan AS old_custom_plan, dailystory_customers_snapshot.customer_id IS NULL AS is_new, dailystory_customers_snapshot.customer_id IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL OR coalesce(dailystory_customers_snapshot.resend_all, 0) = 1 AS replaces, 0 AS departed, dailystory_customers_snapshot.absent_since IS NOT NULL AS returns, dailystory_customers_snapshot.identity_email AS old_email, dailystory_customers_snapshot.identity_mobile AS old_mobile, dailystory_customers_snapshot.unknown_fields AS unknown_fields 
FROM (SELECT source.customer_id AS customer_id, nullif(source.email, '') AS field_email, nullif(source.first_name, '') AS "field_firstName", nullif(source.city, '') AS field_city, nullif(source."plan", '') AS custom_plan 
FROM customers AS source) AS source LEFT OUTER JOIN dailystory_customers_snapshot ON dailystory_customers_snapshot.customer_id = source.customer_id 
WHERE source.customer_id IS NOT NULL AND (EXISTS (SELECT * 
FROM dailystory_customers_rejections 
WHERE dailystory_customers_rejections.customer_id = source.customer_id)) AND (dailystory_customers_snapshot.customer_id IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL OR coalesce(dailystory_customers_snapshot.resend_all, 0) = 1 OR (source.field_email COLLATE "BINARY") IS NOT (dailystory_customers_snapshot.field_email COLLATE "BINARY") AND coalesce(typeof(source.field_email) != typeof(dailystory_customers_snapshot.field_email) AND CAST(source.field_email AS TEXT) = CAST(dailystory_customers_snapshot.field_email AS TEXT), 0) = 0 AND source.field_email IS NOT NULL OR (source."field_firstName" COLLATE "BINARY") IS NOT (dailystory_customers_snapshot."field_firstName" COLLATE "BINARY") AND coalesce(typeof(source."field_firstName") != typeof(dailystory_customers_snapshot."field_firstName") AND CAST(source."field_firstName" AS TEXT) = CAST(dailystory_customers_snapshot."field_firstName" AS TEXT), 0) = 0 AND source."field_firstName" IS NOT NULL OR (source.field_city COLLATE "BINARY") IS NOT (dailystory_customers_snapshot.field_city COLLATE "BINARY") AND coalesce(typeof(source.field_city) != typeof(dailystory_customers_snapshot.field_city) AND CAST(source.field_city AS TEXT) = CAST(dailystory_customers_snapshot.field_city AS TEXT), 0) = 0 AND source.field_city IS NOT dailystory_customers_snapshot.field_city OR (source.custom_plan COLLATE "BINARY") IS NOT (dailystory_customers_snapshot.custom_plan COLLATE "BINARY") AND coalesce(typeof(source.custom_plan) != typeof(dailystory_customers_snapshot.custom_plan) AND CAST(source.custom_plan AS TEXT) = CAST(dailystory_customers_snapshot.custom_plan AS TEXT), 0) = 0 AND source.custom_plan IS NOT NULL OR dailystory_customers_snapshot.unknown_fields IS NOT NULL AND source.field_city IS NULL AND coalesce((dailystory_customers_snapshot.unknown_fields LIKE '%' || '"field/_city"' || '%' ESCAPE '/'), 0) = 1)) AS differing;

CREATE TEMPORARY TABLE dailystory_customers_pending AS SELECT row_number() OVER (ORDER BY differing.departed, differing.customer_id) + CAST(0 AS BIGINT) AS sequence, differing.customer_id, differing.field_email AS field_email, differing."field_firstName" AS "field_firstName", differing.field_city AS field_city, differing.custom_plan AS custom_plan, (differing.field_email COLLATE "BINARY") IS NOT (differing.old_field_email COLLATE "BINARY") AND coalesce(typeof(differing.field_email) != typeof(differing.old_field_email) AND CAST(differing.field_email AS TEXT) = CAST(differing.old_field_email AS TEXT), 0) = 0 AND differing.field_email IS NOT NULL OR differing.replaces = 1 AND differing.field_email IS NOT NULL AS differs_field_email, (differing."field_firstName" COLLATE "BINARY") IS NOT (differing."old_field_firstName" COLLATE "BINARY") AND coalesce(typeof(differing."field_firstName") != typeof(differing."old_field_firstName") AND CAST(differing."field_firstName" AS TEXT) = CAST(differing."old_field_firstName" AS TEXT), 0) = 0 AND differing."field_firstName" IS NOT NULL OR differing.replaces = 1 AND differing."field_firstName" IS NOT NULL AS "differs_field_firstName", (differing.field_city COLLATE "BINARY") IS NOT (differing.old_field_city COLLATE "BINARY") AND coalesce(typeof(differing.field_city) != typeof(differing.old_field_city) AND CAST(differing.field_city AS TEXT) = CAST(differing.old_field_city AS TEXT), 0) = 0 AND differing.field_city IS NOT differing.old_field_city OR differing.unknown_fields IS NOT NULL AND differing.field_city IS NULL AND coalesce((differing.unknown_fields LIKE '%' || '"field/_city"' || '%' ESCAPE '/'), 0) = 1 OR differing.replaces = 1 AND differing.field_city IS NOT NULL AS differs_field_city, (differing.custom_plan COLLATE "BINARY") IS NOT (differing.old_custom_plan COLLATE "BINARY") AND coalesce(typeof(differing.custom_plan) != typeof(differing.old_custom_plan) AND CAST(differing.custom_plan AS TEXT) = CAST(differing.old_custom_plan AS TEXT), 0) = 0 AND differing.custom_plan IS NOT NULL OR differing.replaces = 1 AND differing.custom_plan IS NOT NULL AS differs_custom_plan, differing.is_new, differing.replaces, differing.departed, differing.returns, differing.old_email, differing.old_mobile 
FROM (SELECT source.customer_id AS customer_id, source.field_email AS field_email, source."field_firstName" AS "field_firstName", source.field_city AS field_city, source.custom_plan AS custom_plan, dailystory_customers_snapshot.field_email AS old_field_email, dailystory_customers_snapshot."field_firstName" AS "old_field_firstName", dailystory_customers_snapshot.field_city AS old_field_city, dailystory_customers_snapshot.custom_plan AS old_custom_plan, dailystory_customers_snapshot.customer_id IS NULL AS is_new, dailystory_customers_snapshot.customer_id IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL OR coalesce(dailystory_customers_snapshot.resend_all, 0) = 1 AS replaces, 0 AS departed, dailystory_customers_snapshot.absent_since IS NOT NULL AS returns, dailystory_customers_snapshot.identity_email AS old_email, dailystory_customers_snapshot.identity_mobile AS old_mobile, dailystory_customers_snapshot.unknown_fields AS unknown_fields 
FROM (SELECT source.customer_id AS customer_id, nullif(source.email, '') AS field_email, nullif(source.first_name, '') AS "field_firstName", nullif(source.city, '') AS field_city, nullif(source."plan", '') AS custom_plan 
FROM customers AS source) AS source LEFT OUTER JOIN dailystory_customers_snapshot ON dailystory_customers_snapshot.customer_id = source.customer_id 
WHERE source.customer_id IS NOT NULL AND (source.customer_id = 5 OR source.customer_id = '5') AND (dailystory_customers_snapshot.customer_id IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL OR coalesce(dailystory_customers_snapshot.resend_all, 0) = 1 OR (source.field_email COLLATE "BINARY") IS NOT (dailystory_customers_snapshot.field_email COLLATE "BINARY") AND coalesce(typeof(source.field_email) != typeof(dailystory_customers_snapshot.field_email) AND CAST(source.field_email AS TEXT) = CAST(dailystory_customers_snapshot.field_email AS TEXT), 0) = 0 AND source.field_email IS NOT NULL OR (source."field_firstName" COLLATE "BINARY") IS NOT (dailystory_customers_snapshot."field_firstName" COLLATE "BINARY") AND coalesce(typeof(source."field_firstName") != typeof(dailystory_customers_snapshot."field_firstName") AND CAST(source."field_firstName" AS TEXT) = CAST(dailystory_customers_snapshot."field_firstName" AS TEXT), 0) = 0 AND source."field_firstName" IS NOT NULL OR (source.field_city COLLATE "BINARY") IS NOT (dailystory_customers_snapshot.field_city COLLATE "BINARY") AND coalesce(typeof(source.field_city) != typeof(dailystory_customers_snapshot.field_city) AND CAST(source.field_city AS TEXT) = CAST(dailystory_customers_snapshot.field_city AS TEXT), 0) = 0 AND source.field_city IS NOT dailystory_customers_snapshot.field_city OR (source.custom_plan COLLATE "BINARY") IS NOT (dailystory_customers_snapshot.custom_plan COLLATE "BINARY") AND coalesce(typeof(source.custom_plan) != typeof(dailystory_customers_snapshot.custom_plan) AND CAST(source.custom_plan AS TEXT) = CAST(dailystory_customers_snapshot.custom_plan AS TEXT), 0) = 0 AND source.custom_plan IS NOT NULL OR dailystory_customers_snapshot.unknown_fields IS NOT NULL AND source.field_city IS NULL AND coalesce((dailystory_customers_snapshot.unknown_fields LIKE '%' || '"field/_city"' || '%' ESCAPE '/'), 0) = 1)) AS differing;

CREATE TEMPORARY TABLE dailystory_customers_pending AS SELECT row_number() OVER (ORDER BY differing.departed, differing.customer_id) + CAST(0 AS BIGINT) AS sequence, differing.customer_id, differing.field_email AS field_email, differing."field_firstName" AS "field_firstName", differing.field_city AS field_city, differing.custom_plan AS custom_plan, (differing.field_email COLLATE "BINARY") IS NOT (differing.old_field_email COLLATE "BINARY") AND coalesce(typeof(differing.field_email) != typeof(differing.old_field_email) AND CAST(differing.field_email AS TEXT) = CAST(differing.old_field_email AS TEXT), 0) = 0 AND differing.field_email IS NOT NULL OR differing.replaces = 1 AND differing.field_email IS NOT NULL AS differs_field_email, (differing."field_firstName" COLLATE "BINARY") IS NOT (differing."old_field_firstName" COLLATE "BINARY") AND coalesce(typeof(differing."field_firstName") != typeof(differing."old_field_firstName") AND CAST(differing."field_firstName" AS TEXT) = CAST(differing."old_field_firstName" AS TEXT), 0) = 0 AND differing."field_firstName" IS NOT NULL OR differing.replaces = 1 AND differing."field_firstName" IS NOT NULL AS "differs_field_firstName", (differing.field_city COLLATE "BINARY") IS NOT (differing.old_field_city COLLATE "BINARY") AND coalesce(typeof(differing.field_city) != typeof(differing.old_field_city) AND CAST(differing.field_city AS TEXT) = CAST(differing.old_field_city AS TEXT), 0) = 0 AND differing.field_city IS NOT differing.old_field_city OR differing.unknown_fields IS NOT NULL AND differing.field_city IS NULL AND coalesce((differing.unknown_fields LIKE '%' || '"field/_city"' || '%' ESCAPE '/'), 0) = 1 OR differing.replaces = 1 AND differing.field_city IS NOT NULL AS differs_field_city, (differing.custom_plan COLLATE "BINARY") IS NOT (differing.old_custom_plan COLLATE "BINARY") AND coalesce(typeof(differing.custom_plan) != typeof(differing.old_custom_plan) AND CAST(differing.custom_plan AS TEXT) = CAST(differing.old_custom_plan AS TEXT), 0) = 0 AND differing.custom_plan IS NOT NULL OR differing.replaces = 1 AND differing.custom_plan IS NOT NULL AS differs_custom_plan, differing.is_new, differing.replaces, differing.departed, differing.returns, differing.old_email, differing.old_mobile 
FROM (SELECT source.customer_id AS customer_id, source.field_email AS field_email, source."field_firstName" AS "field_firstName", source.field_city AS field_city, source.custom_plan AS custom_plan, dailystory_customers_snapshot.field_email AS old_field_email, dailystory_customers_snapshot."field_firstName" AS "old_field_firstName", dailystory_customers_snapshot.field_city AS old_field_city, dailystory_customers_snapshot.custom_plan AS old_custom_plan, dailystory_customers_snapshot.customer_id IS NULL AS is_new, dailystory_customers_snapshot.customer_id IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL OR coalesce(dailystory_customers_snapshot.resend_all, 0) = 1 AS replaces, 0 AS departed, dailystory_customers_snapshot.absent_since IS NOT NULL AS returns, dailystory_customers_snapshot.identity_email AS old_email, dailystory_customers_snapshot.identity_mobile AS old_mobile, dailystory_customers_snapshot.unknown_fields AS unknown_fields 
FROM (SELECT source.customer_id AS customer_id, nullif(source.email, '') AS field_email, nullif(source.first_name, '') AS "field_firstName", nullif(source.city, '') AS field_city, nullif(source."plan", '') AS custom_plan 
FROM customers AS source) AS source LEFT OUTER JOIN dailystory_customers_snapshot ON dailystory_customers_snapshot.customer_id = source.customer_id 
WHERE source.customer_id IS NOT NULL AND 1 = 1 AND (dailystory_customers_snapshot.customer_id IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL OR coalesce(dailystory_customers_snapshot.resend_all, 0) = 1 OR (source.field_email COLLATE "BINARY") IS NOT (dailystory_customers_snapshot.field_email COLLATE "BINARY") AND coalesce(typeof(source.field_email) != typeof(dailystory_customers_snapshot.field_email) AND CAST(source.field_email AS TEXT) = CAST(dailystory_customers_snapshot.field_email AS TEXT), 0) = 0 AND source.field_email IS NOT NULL OR (source."field_firstName" COLLATE "BINARY") IS NOT (dailystory_customers_snapshot."field_firstName" COLLATE "BINARY") AND coalesce(typeof(source."field_firstName") != typeof(dailystory_customers_snapshot."field_firstName") AND CAST(source."field_firstName" AS TEXT) = CAST(dailystory_customers_snapshot."field_firstName" AS TEXT), 0) = 0 AND source."field_firstName" IS NOT NULL OR (source.field_city COLLATE "BINARY") IS NOT (dailystory_customers_snapshot.field_city COLLATE "BINARY") AND coalesce(typeof(source.field_city) != typeof(dailystory_customers_snapshot.field_city) AND CAST(source.field_city AS TEXT) = CAST(dailystory_customers_snapshot.field_city AS TEXT), 0) = 0 AND source.field_city IS NOT dailystory_customers_snapshot.field_city OR (source.custom_plan COLLATE "BINARY") IS NOT (dailystory_customers_snapshot.custom_plan COLLATE "BINARY") AND coalesce(typeof(source.custom_plan) != typeof(dailystory_customers_snapshot.custom_plan) AND CAST(source.custom_plan AS TEXT) = CAST(dailystory_customers_snapshot.custom_plan AS TEXT), 0) = 0 AND source.custom_plan IS NOT NULL OR dailystory_customers_snapshot.unknown_fields IS NOT NULL AND source.field_city IS NULL AND coalesce((dailystory_customers_snapshot.unknown_fields LIKE '%' || '"field/_city"' || '%' ESCAPE '/'), 0) = 1)) AS differing;

CREATE TEMPORARY TABLE dailystory_customers_pending AS SELECT row_number() OVER (ORDER BY differing.departed, differing.customer_id) + CAST(0 AS BIGINT) AS sequence, differing.customer_id, nullif(differing.field_email, '') AS field_email, nullif(differing."field_firstName", '') AS "field_firstName", nullif(differing.field_city, '') AS field_city, nullif(differing."field_lastName", '') AS "field_lastName", nullif(differing.custom_plan, '') AS custom_plan, (differing.field_email COLLATE "BINARY") IS NOT (differing.old_field_email COLLATE "BINARY") AND nullif(differing.field_email, '') IS NOT NULL OR differing.replaces = 1 AND nullif(differing.field_email, '') IS NOT NULL AS differs_field_email, (differing."field_firstName" COLLATE "BINARY") IS NOT (differing."old_field_firstName" COLLATE "BINARY") AND nullif(differing."field_firstName", '') IS NOT NULL OR differing.replaces = 1 AND nullif(differing."field_firstName", '') IS NOT NULL AS "differs_field_firstName", (differing.field_city COLLATE "BINARY") IS NOT (differing.old_field_city COLLATE "BINARY") AND nullif(differing.field_city, '') IS NOT NULL OR differing.replaces = 1 AND nullif(differing.field_city, '') IS NOT NULL AS differs_field_city, (differing."field_lastName" COLLATE "BINARY") IS NOT (differing."old_field_lastName" COLLATE "BINARY") AND nullif(differing."field_lastName", '') IS NOT NULL OR differing.replaces = 1 AND nullif(differing."field_lastName", '') IS NOT NULL AS "differs_field_lastName", (differing.custom_plan COLLATE "BINARY") IS NOT (differing.old_custom_plan COLLATE "BINARY") AND nullif(differing.custom_plan, '') IS NOT NULL OR differing.replaces = 1 AND nullif(differing.custom_plan, '') IS NOT NULL AS differs_custom_plan, differing.is_new, differing.replaces, differing.departed, differing.returns, differing.old_email, differing.old_mobile 
FROM (SELECT source.customer_id AS customer_id, source.field_email AS field_email, source."field_firstName" AS "field_firstName", source.field_city AS field_city, source."field_lastName" AS "field_lastName", source.custom_plan AS custom_plan, dailystory_customers_snapshot.field_email AS old_field_email, dailystory_customers_snapshot."field_firstName" AS "old_field_firstName", dailystory_customers_snapshot.field_city AS old_field_city, dailystory_customers_snapshot."field_lastName" AS "old_field_lastName", dailystory_customers_snapshot.custom_plan AS old_custom_plan, dailystory_customers_snapshot.customer_id IS NULL AS is_new, dailystory_customers_snapshot.customer_id IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL OR coalesce(dailystory_customers_snapshot.resend_all, 0) = 1 AS replaces, 0 AS departed, dailystory_customers_snapshot.absent_since IS NOT NULL AS returns, dailystory_customers_snapshot.identity_email AS old_email, dailystory_customers_snapshot.identity_mobile AS old_mobile 
FROM dailystory_customers_staged AS source LEFT OUTER JOIN dailystory_customers_snapshot ON source.customer_id = dailystory_customers_snapshot.customer_id 
WHERE source.customer_id IS NOT NULL AND 1 = 1 AND (dailystory_customers_snapshot.customer_id IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL OR coalesce(dailystory_customers_snapshot.resend_all, 0) = 1 OR (source.field_email COLLATE "BINARY") IS NOT (dailystory_customers_snapshot.field_email COLLATE "BINARY") AND nullif(source.field_email, '') IS NOT NULL OR (source."field_firstName" COLLATE "BINARY") IS NOT (dailystory_customers_snapshot."field_firstName" COLLATE "BINARY") AND nullif(source."field_firstName", '') IS NOT NULL OR (source.field_city COLLATE "BINARY") IS NOT (dailystory_customers_snapshot.field_city COLLATE "BINARY") AND nullif(source.field_city, '') IS NOT NULL OR (source."field_lastName" COLLATE "BINARY") IS NOT (dailystory_customers_snapshot."field_lastName" COLLATE "BINARY") AND nullif(source."field_lastName", '') IS NOT NULL OR (source.custom_plan COLLATE "BINARY") IS NOT (dailystory_customers_snapshot.custom_plan COLLATE "BINARY") AND nullif(source.custom_plan, '') IS NOT NULL)) AS differing;

CREATE TEMPORARY TABLE dailystory_customers_pending AS SELECT row_number() OVER (ORDER BY differing.departed, differing.customer_id) + CAST(0 AS BIGINT) AS sequence, differing.customer_id, nullif(differing.field_email, '') AS field_email, nullif(differing."field_firstName", '') AS "field_firstName", nullif(differing.field_city, '') AS field_city, nullif(differing.custom_plan, '') AS custom_plan, (differing.field_email COLLATE "BINARY") IS NOT (differing.old_field_email COLLATE "BINARY") AND nullif(differing.field_email, '') IS NOT NULL OR differing.replaces = 1 AND nullif(differing.field_email, '') IS NOT NULL AS differs_field_email, (differing."field_firstName" COLLATE "BINARY") IS NOT (differing."old_field_firstName" COLLATE "BINARY") AND nullif(differing."field_firstName", '') IS NOT NULL OR differing.replaces = 1 AND nullif(differing."field_firstName", '') IS NOT NULL AS "differs_field_firstName", (differing.field_city COLLATE "BINARY") IS NOT (differing.old_field_city COLLATE "BINARY") AND nullif(differing.field_city, '') IS NOT NULL OR differing.replaces = 1 AND nullif(differing.field_city, '') IS NOT NULL AS differs_field_city, (differing.custom_plan COLLATE "BINARY") IS NOT (differing.old_custom_plan COLLATE "BINARY") AND nullif(differing.custom_plan, '') IS NOT NULL OR differing.replaces = 1 AND nullif(differing.custom_plan, '') IS NOT NULL AS differs_custom_plan, differing.is_new, differing.replaces, differing.departed, differing.returns, differing.old_email, differing.old_mobile 
FROM (SELECT source.customer_id AS customer_id, source.field_email AS field_email, source."field_firstName" AS "field_firstName", source.field_city AS field_city, source.custom_plan AS custom_plan, dailystory_customers_snapshot.field_email AS old_field_email, dailystory_customers_snapshot."field_firstName" AS "old_field_firstName", dailystory_customers_snapshot.field_city AS old_field_city, dailystory_customers_snapshot.custom_plan AS old_custom_plan, dailystory_customers_snapshot.customer_id IS NULL AS is_new, dailystory_customers_snapshot.customer_id IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL OR coalesce(dailystory_customers_snapshot.resend_all, 0) = 1 AS replaces, 0 AS departed, dailystory_customers_snapshot.absent_since IS NOT NULL AS returns, dailystory_customers_snapshot.identity_email AS old_email, dailystory_customers_snapshot.identity_mobile AS old_mobile 
FROM dailystory_customers_staged AS source LEFT OUTER JOIN dailystory_customers_snapshot ON source.customer_id = dailystory_customers_snapshot.customer_id 
WHERE source.customer_id IS NOT NULL AND 1 = 1 AND (dailystory_customers_snapshot.customer_id IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL OR coalesce(dailystory_customers_snapshot.resend_all, 0) = 1 OR (source.field_email COLLATE "BINARY") IS NOT (dailystory_customers_snapshot.field_email COLLATE "BINARY") AND nullif(source.field_email, '') IS NOT NULL OR (source."field_firstName" COLLATE "BINARY") IS NOT (dailystory_customers_snapshot."field_firstName" COLLATE "BINARY") AND nullif(source."field_firstName", '') IS NOT NULL OR (source.field_city COLLATE "BINARY") IS NOT (dailystory_customers_snapshot.field_city COLLATE "BINARY") AND nullif(source.field_city, '') IS NOT NULL OR (source.custom_plan COLLATE "BINARY") IS NOT (dailystory_customers_snapshot.custom_plan COLLATE "BINARY") AND nullif(source.custom_plan, '') IS NOT NULL)) AS differing;

CREATE TEMPORARY TABLE dailystory_customers_pending AS SELECT row_number() OVER (ORDER BY differing.departed, differing.customer_id) + CAST(0 AS BIGINT) AS sequence, differing.customer_id, nullif(differing.field_email, '') AS field_email, nullif(differing."field_firstName", '') AS "field_firstName", nullif(differing.field_city, '') AS field_city, nullif(differing.custom_plan, '') AS custom_plan, (differing.field_email COLLATE "BINARY") IS NOT (differing.old_field_email COLLATE "BINARY") AND nullif(differing.field_email, '') IS NOT NULL OR differing.replaces = 1 AND nullif(differing.field_email, '') IS NOT NULL AS differs_field_email, (differing."field_firstName" COLLATE "BINARY") IS NOT (differing."old_field_firstName" COLLATE "BINARY") AND nullif(differing."field_firstName", '') IS NOT NULL OR differing.replaces = 1 AND nullif(differing."field_firstName", '') IS NOT NULL AS "differs_field_firstName", (differing.field_city COLLATE "BINARY") IS NOT (differing.old_field_city COLLATE "BINARY") AND nullif(differing.field_city, '') IS NOT NULL OR differing.replaces = 1 AND nullif(differing.field_city, '') IS NOT NULL AS differs_field_city, (differing.custom_plan COLLATE "BINARY") IS NOT (differing.old_custom_plan COLLATE "BINARY") AND nullif(differing.custom_plan, '') IS NOT NULL OR differing.replaces = 1 AND nullif(differing.custom_plan, '') IS NOT NULL AS differs_custom_plan, differing.is_new, differing.replaces, differing.departed, differing.returns, differing.old_email, differing.old_mobile 
FROM (SELECT source.customer_id AS customer_id, source.field_email AS field_email, source."field_firstName" AS "field_firstName", source.field_city AS field_city, source.custom_plan AS custom_plan, dailystory_customers_snapshot.field_email AS old_field_email, dailystory_customers_snapshot."field_firstName" AS "old_field_firstName", dailystory_customers_snapshot.field_city AS old_field_city, dailystory_customers_snapshot.custom_plan AS old_custom_plan, dailystory_customers_snapshot.customer_id IS NULL AS is_new, dailystory_customers_snapshot.customer_id IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL OR coalesce(dailystory_customers_snapshot.resend_all, 0) = 1 AS replaces, 0 AS departed, dailystory_customers_snapshot.absent_since IS NOT NULL AS returns, dailystory_customers_snapshot.identity_email AS old_email, dailystory_customers_snapshot.identity_mobile AS old_mobile 
FROM dailystory_customers_staged AS source LEFT OUTER JOIN dailystory_customers_snapshot ON source.customer_id = dailystory_customers_snapshot.customer_id 
WHERE source.customer_id IS NOT NULL AND CAST(coalesce(dailystory_hash(CAST(source.customer_id AS TEXT)) % 2, 0) AS BIGINT) = 1 AND (dailystory_customers_snapshot.customer_id IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL OR coalesce(dailystory_customers_snapshot.resend_all, 0) = 1 OR (source.field_email COLLATE "BINARY") IS NOT (dailystory_customers_snapshot.field_email COLLATE "BINARY") AND nullif(source.field_email, '') IS NOT NULL OR (source."field_firstName" COLLATE "BINARY") IS NOT (dailystory_customers_snapshot."field_firstName" COLLATE "BINARY") AND nullif(source."field_firstName", '') IS NOT NULL OR (source.field_city COLLATE "BINARY") IS NOT (dailystory_customers_snapshot.field_city COLLATE "BINARY") AND nullif(source.field_city, '') IS NOT NULL OR (source.custom_plan COLLATE "BINARY") IS NOT (dailystory_customers_snapshot.custom_plan COLLATE "BINARY") AND nullif(source.custom_plan, '') IS NOT NULL)) AS differing;

CREATE TEMPORARY TABLE dailystory_customers_pending AS SELECT row_number() OVER (ORDER BY differing.departed, differing.customer_id) + CAST(0 AS BIGINT) AS sequence, differing.customer_id, nullif(differing.field_email, '') AS field_email, nullif(differing."field_firstName", '') AS "field_firstName", nullif(differing.field_city, '') AS field_city, nullif(differing.custom_plan, '') AS custom_plan, (differing.field_email COLLATE "BINARY") IS NOT (differing.old_field_email COLLATE "BINARY") AND nullif(differing.field_email, '') IS NOT NULL OR differing.replaces = 1 AND nullif(differing.field_email, '') IS NOT NULL AS differs_field_email, (differing."field_firstName" COLLATE "BINARY") IS NOT (differing."old_field_firstName" COLLATE "BINARY") AND nullif(differing."field_firstName", '') IS NOT NULL OR differing.replaces = 1 AND nullif(differing."field_firstName", '') IS NOT NULL AS "differs_field_firstName", (differing.field_city COLLATE "BINARY") IS NOT (differing.old_field_city COLLATE "BINARY") AND nullif(differing.field_city, '') IS NOT differing.old_field_city OR differing.unknown_fields IS NOT NULL AND nullif(differing.field_city, '') IS NULL AND coalesce((differing.unknown_fields LIKE '%' || '"field/_city"' || '%' ESCAPE '/'), 0) = 1 OR differing.replaces = 1 AND nullif(differing.field_city, '') IS NOT NULL AS differs_field_city, (differing.custom_plan COLLATE "BINARY") IS NOT (differing.old_custom_plan COLLATE "BINARY") AND nullif(differing.custom_plan, '') IS NOT NULL OR differing.replaces = 1 AND nullif(differing.custom_plan, '') IS NOT NULL AS differs_custom_plan, differing.is_new, differing.replaces, differing.departed, differing.returns, differing.old_email, differing.old_mobile 
FROM (SELECT source.customer_id AS customer_id, source.field_email AS field_email, source."field_firstName" AS "field_firstName", source.field_city AS field_city, source.custom_plan AS custom_plan, dailystory_customers_snapshot.field_email AS old_field_email, dailystory_customers_snapshot."field_firstName" AS "old_field_firstName", dailystory_customers_snapshot.field_city AS old_field_city, dailystory_customers_snapshot.custom_plan AS old_custom_plan, dailystory_customers_snapshot.customer_id IS NULL AS is_new, 1 AS replaces, 0 AS departed, dailystory_customers_snapshot.absent_since IS NOT NULL AS returns, dailystory_customers_snapshot.identity_email AS old_email, dailystory_customers_snapshot.identity_mobile AS old_mobile, dailystory_customers_snapshot.unknown_fields AS unknown_fields 
FROM dailystory_customers_staged AS source LEFT OUTER JOIN dailystory_customers_snapshot ON source.customer_id = dailystory_customers_snapshot.customer_id 
WHERE source.customer_id IS NOT NULL AND 1 = 1) AS differing;

CREATE TEMPORARY TABLE dailystory_customers_pending AS SELECT row_number() OVER (ORDER BY differing.departed, differing.customer_id) + CAST(0 AS BIGINT) AS sequence, differing.customer_id, nullif(differing.field_email, '') AS field_email, nullif(differing."field_firstName", '') AS "field_firstName", nullif(differing.field_city, '') AS field_city, nullif(differing.custom_plan, '') AS custom_plan, (differing.field_email COLLATE "BINARY") IS NOT (differing.old_field_email COLLATE "BINARY") AND nullif(differing.field_email, '') IS NOT NULL OR differing.replaces = 1 AND nullif(differing.field_email, '') IS NOT NULL AS differs_field_email, (differing."field_firstName" COLLATE "BINARY") IS NOT (differing."old_field_firstName" COLLATE "BINARY") AND nullif(differing."field_firstName", '') IS NOT NULL OR differing.replaces = 1 AND nullif(differing."field_firstName", '') IS NOT NULL AS "differs_field_firstName", (differing.field_city COLLATE "BINARY") IS NOT (differing.old_field_city COLLATE "BINARY") AND nullif(differing.field_city, '') IS NOT differing.old_field_city OR differing.unknown_fields IS NOT NULL AND nullif(differing.field_city, '') IS NULL AND coalesce((differing.unknown_fields LIKE '%' || '"field/_city"' || '%' ESCAPE '/'), 0) = 1 OR differing.replaces = 1 AND nullif(differing.field_city, '') IS NOT NULL AS differs_field_city, (differing.custom_plan COLLATE "BINARY") IS NOT (differing.old_custom_plan COLLATE "BINARY") AND nullif(differing.custom_plan, '') IS NOT NULL OR differing.replaces = 1 AND nullif(differing.custom_plan, '') IS NOT NULL AS differs_custom_plan, differing.is_new, differing.replaces, differing.departed, differing.returns, differing.old_email, differing.old_mobile 
FROM (SELECT source.customer_id AS customer_id, source.field_email AS field_email, source."field_firstName" AS "field_firstName", source.field_city AS field_city, source.custom_plan AS custom_plan, dailystory_customers_snapshot.field_email AS old_field_email, dailystory_customers_snapshot."field_firstName" AS "old_field_firstName", dailystory_customers_snapshot.field_city AS old_field_city, dailystory_customers_snapshot.custom_plan AS old_custom_plan, dailystory_customers_snapshot.customer_id IS NULL AS is_new, dailystory_customers_snapshot.customer_id IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL OR coalesce(dailystory_customers_snapshot.resend_all, 0) = 1 AS replaces, 0 AS departed, dailystory_customers_snapshot.absent_since IS NOT NULL AS returns, dailystory_customers_snapshot.identity_email AS old_email, dailystory_customers_snapshot.identity_mobile AS old_mobile, dailystory_customers_snapshot.unknown_fields AS unknown_fields 
FROM dailystory_customers_staged AS source LEFT OUTER JOIN dailystory_customers_snapshot ON source.customer_id = dailystory_customers_snapshot.customer_id 
WHERE source.customer_id IS NOT NULL AND (EXISTS (SELECT * 
FROM dailystory_customers_rejections 
WHERE dailystory_customers_rejections.customer_id = source.customer_id)) AND (dailystory_customers_snapshot.customer_id IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL OR coalesce(dailystory_customers_snapshot.resend_all, 0) = 1 OR (source.field_email COLLATE "BINARY") IS NOT (dailystory_customers_snapshot.field_email COLLATE "BINARY") AND nullif(source.field_email, '') IS NOT NULL OR (source."field_firstName" COLLATE "BINARY") IS NOT (dailystory_customers_snapshot."field_firstName" COLLATE "BINARY") AND nullif(source."field_firstName", '') IS NOT NULL OR (source.field_city COLLATE "BINARY") IS NOT (dailystory_customers_snapshot.field_city COLLATE "BINARY") AND nullif(source.field_city, '') IS NOT dailystory_customers_snapshot.field_city OR (source.custom_plan COLLATE "BINARY") IS NOT (dailystory_customers_snapshot.custom_plan COLLATE "BINARY") AND nullif(source.custom_plan, '') IS NOT NULL OR dailystory_customers_snapshot.unknown_fields IS NOT NULL AND nullif(source.field_city, '') IS NULL AND coalesce((dailystory_customers_snapshot.unknown_fields LIKE '%' || '"field/_city"' || '%' ESCAPE '/'), 0) = 1)) AS differing;

CREATE TEMPORARY TABLE dailystory_customers_pending AS SELECT row_number() OVER (ORDER BY differing.departed, differing.customer_id) + CAST(0 AS BIGINT) AS sequence, differing.customer_id, nullif(differing.field_email, '') AS field_email, nullif(differing."field_firstName", '') AS "field_firstName", nullif(differing.field_city, '') AS field_city, nullif(differing.custom_plan, '') AS custom_plan, (differing.field_email COLLATE "BINARY") IS NOT (differing.old_field_email COLLATE "BINARY") AND nullif(differing.field_email, '') IS NOT NULL OR differing.replaces = 1 AND nullif(differing.field_email, '') IS NOT NULL AS differs_field_email, (differing."field_firstName" COLLATE "BINARY") IS NOT (differing."old_field_firstName" COLLATE "BINARY") AND nullif(differing."field_firstName", '') IS NOT NULL OR differing.replaces = 1 AND nullif(differing."field_firstName", '') IS NOT NULL AS "differs_field_firstName", (differing.field_city COLLATE "BINARY") IS NOT (differing.old_field_city COLLATE "BINARY") AND nullif(differing.field_city, '') IS NOT differing.old_field_city OR differing.unknown_fields IS NOT NULL AND nullif(differing.field_city, '') IS NULL AND coalesce((differing.unknown_fields LIKE '%' || '"field/_city"' || '%' ESCAPE '/'), 0) = 1 OR differing.replaces = 1 AND nullif(differing.field_city, '') IS NOT NULL AS differs_field_city, (differing.custom_plan COLLATE "BINARY") IS NOT (differing.old_custom_plan COLLATE "BINARY") AND nullif(differing.custom_plan, '') IS NOT NULL OR differing.replaces = 1 AND nullif(differing.custom_plan, '') IS NOT NULL AS differs_custom_plan, differing.is_new, differing.replaces, differing.departed, differing.returns, differing.old_email, differing.old_mobile 
FROM (SELECT source.customer_id AS customer_id, source.field_email AS field_email, source."field_firstName" AS "field_firstName", source.field_city AS field_city, source.custom_plan AS custom_plan, dailystory_customers_snapshot.field_email AS old_field_email, dailystory_customers_snapshot."field_firstName" AS "old_field_firstName", dailystory_customers_snapshot.field_city AS old_field_city, dailystory_customers_snapshot.custom_plan AS old_custom_plan, dailystory_customers_snapshot.customer_id IS NULL AS is_new, dailystory_customers_snapshot.customer_id IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL OR coalesce(dailystory_customers_snapshot.resend_all, 0) = 1 AS replaces, 0 AS departed, dailystory_customers_snapshot.absent_since IS NOT NULL AS returns, dailystory_customers_snapshot.identity_email AS old_email, dailystory_customers_snapshot.identity_mobile AS old_mobile, dailystory_customers_snapshot.unknown_fields AS unknown_fields 
FROM dailystory_customers_staged AS source LEFT OUTER JOIN dailystory_customers_snapshot ON source.customer_id = dailystory_customers_snapshot.customer_id 
WHERE source.customer_id IS NOT NULL AND 1 = 1 AND (dailystory_customers_snapshot.customer_id IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL OR coalesce(dailystory_customers_snapshot.resend_all, 0) = 1 OR (source.field_email COLLATE "BINARY") IS NOT (dailystory_customers_snapshot.field_email COLLATE "BINARY") AND nullif(source.field_email, '') IS NOT NULL OR (source."field_firstName" COLLATE "BINARY") IS NOT (dailystory_customers_snapshot."field_firstName" COLLATE "BINARY") AND nullif(source."field_firstName", '') IS NOT NULL OR (source.field_city COLLATE "BINARY") IS NOT (dailystory_customers_snapshot.field_city COLLATE "BINARY") AND nullif(source.field_city, '') IS NOT dailystory_customers_snapshot.field_city OR (source.custom_plan COLLATE "BINARY") IS NOT (dailystory_customers_snapshot.custom_plan COLLATE "BINARY") AND nullif(source.custom_plan, '') IS NOT NULL OR dailystory_customers_snapshot.unknown_fields IS NOT NULL AND nullif(source.field_city, '') IS NULL AND coalesce((dailystory_customers_snapshot.unknown_fields LIKE '%' || '"field/_city"' || '%' ESCAPE '/'), 0) = 1)) AS differing;

CREATE TEMPORARY TABLE dailystory_customers_pending AS SELECT row_number() OVER (ORDER BY differing.departed, differing.customer_id) + CAST(0 AS BIGINT) AS sequence, differing.customer_id, nullif(differing.field_email, '') AS field_email, nullif(differing."field_firstName", '') AS "field_firstName", nullif(differing.field_city, '') AS field_city, nullif(differing.custom_plan, '') AS custom_plan, (differing.field_email COLLATE "BINARY") IS NOT (differing.old_field_email COLLATE "BINARY") AND nullif(differing.field_email, '') IS NOT NULL OR differing.replaces = 1 AND nullif(differing.field_email, '') IS NOT NULL AS differs_field_email, (differing."field_firstName" COLLATE "BINARY") IS NOT (differing."old_field_firstName" COLLATE "BINARY") AND nullif(differing."field_firstName", '') IS NOT NULL OR differing.replaces = 1 AND nullif(differing."field_firstName", '') IS NOT NULL AS "differs_field_firstName", (differing.field_city COLLATE "BINARY") IS NOT (differing.old_field_city COLLATE "BINARY") AND nullif(differing.field_city, '') IS NOT differing.old_field_city OR differing.unknown_fields IS NOT NULL AND nullif(differing.field_city, '') IS NULL AND coalesce((differing.unknown_fields LIKE '%' || '"field/_city"' || '%' ESCAPE '/'), 0) = 1 OR differing.replaces = 1 AND nullif(differing.field_city, '') IS NOT NULL AS differs_field_city, (differing.custom_plan COLLATE "BINARY") IS NOT (differing.old_custom_plan COLLATE "BINARY") AND nullif(differing.custom_plan, '') IS NOT NULL OR differing.replaces = 1 AND nullif(differing.custom_plan, '') IS NOT NULL AS differs_custom_plan, differing.is_new, differing.replaces, differing.departed, differing.returns, differing.old_email, differing.old_mobile 
FROM (SELECT source.customer_id AS customer_id, source.field_email AS field_email, source."field_firstName" AS "field_firstName", source.field_city AS field_city, source.custom_plan AS custom_plan, dailystory_customers_snapshot.field_email AS old_field_email, dailystory_customers_snapshot."field_firstName" AS "old_field_firstName", dailystory_customers_snapshot.field_city AS old_field_city, dailystory_customers_snapshot.custom_plan AS old_custom_plan, dailystory_customers_snapshot.customer_id IS NULL AS is_new, dailystory_customers_snapshot.customer_id IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL OR coalesce(dailystory_customers_snapshot.resend_all, 0) = 1 AS replaces, 0 AS departed, dailystory_customers_snapshot.absent_since IS NOT NULL AS returns, dailystory_customers_snapshot.identity_email AS old_email, dailystory_customers_snapshot.identity_mobile AS old_mobile, dailystory_customers_snapshot.unknown_fields AS unknown_fields 
FROM dailystory_customers_staged AS source LEFT OUTER JOIN dailystory_customers_snapshot ON source.customer_id = dailystory_customers_snapshot.customer_id 
WHERE source.customer_id IS NOT NULL AND source.customer_id = 5 AND (dailystory_customers_snapshot.customer_id IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL OR coalesce(dailystory_customers_snapshot.resend_all, 0) = 1 OR (source.field_email COLLATE "BINARY") IS NOT (dailystory_customers_snapshot.field_email COLLATE "BINARY") AND nullif(source.field_email, '') IS NOT NULL OR (source."field_firstName" COLLATE "BINARY") IS NOT (dailystory_customers_snapshot."field_firstName" COLLATE "BINARY") AND nullif(source."field_firstName", '') IS NOT NULL OR (source.field_city COLLATE "BINARY") IS NOT (dailystory_customers_snapshot.field_city COLLATE "BINARY") AND nullif(source.field_city, '') IS NOT dailystory_customers_snapshot.field_city OR (source.custom_plan COLLATE "BINARY") IS NOT (dailystory_customers_snapshot.custom_plan COLLATE "BINARY") AND nullif(source.custom_plan, '') IS NOT NULL OR dailystory_customers_snapshot.unknown_fields IS NOT NULL AND nullif(source.field_city, '') IS NULL AND coalesce((dailystory_customers_snapshot.unknown_fields LIKE '%' || '"field/_city"' || '%' ESCAPE '/'), 0) = 1)) AS differing;

CREATE TEMPORARY TABLE dailystory_customers_present (
	customer_id BIGINT, 
	row_hash BIGINT
);

CREATE TEMPORARY TABLE dailystory_customers_staged (
	customer_id BIGINT, 
	field_email TEXT, 
	"field_firstName" TEXT, 
	field_city TEXT, 
	"field_lastName" TEXT, 
	custom_plan TEXT, 
	row_hash BIGINT
);

CREATE TEMPORARY TABLE dailystory_customers_staged (
	customer_id BIGINT, 
	field_email TEXT, 
	"field_firstName" TEXT, 
	field_city TEXT, 
	custom_plan TEXT
);

CREATE TEMPORARY TABLE dailystory_customers_staged (
	customer_id BIGINT, 
	field_email TEXT, 
	"field_firstName" TEXT, 
	field_city TEXT, 
	custom_plan TEXT, 
	row_hash BIGINT
);

CREATE TEMPORARY TABLE dailystory_customers_staged AS SELECT source.customer_id, source.email, source.first_name, source.city, source."plan" 
FROM (select * from customers
) AS source;

DELETE FROM dailystory_customers_answers;

DELETE FROM dailystory_customers_changes WHERE (dailystory_customers_changes.plan_id NOT IN (?));

DELETE FROM dailystory_customers_intents WHERE dailystory_customers_intents.customer_id IN (SELECT dailystory_customers_changes.customer_id 
FROM dailystory_customers_changes JOIN dailystory_customers_answers ON dailystory_customers_answers.sequence = dailystory_customers_changes.sequence 
WHERE dailystory_customers_changes.plan_id = ? AND dailystory_customers_changes.sequence IN (SELECT dailystory_customers_answers.sequence 
FROM dailystory_customers_answers) AND dailystory_customers_answers.outcome IN (?));

DELETE FROM dailystory_customers_pending WHERE EXISTS (SELECT * 
FROM dailystory_customers_duplicates 
WHERE dailystory_customers_duplicates.customer_id = dailystory_customers_pending.customer_id);

DELETE FROM dailystory_customers_rejections WHERE ((EXISTS (SELECT ? AS anon_1 
FROM (SELECT source.customer_id AS customer_id, nullif(source.email, '') AS field_email, nullif(source.first_name, '') AS "field_firstName", nullif(source.city, '') AS field_city, nullif(source."plan", '') AS custom_plan 
FROM customers AS source) AS source 
WHERE dailystory_customers_rejections.customer_id = source.customer_id AND (EXISTS (SELECT * 
FROM dailystory_customers_rejections 
WHERE dailystory_customers_rejections.customer_id = source.customer_id)))) OR dailystory_customers_rejections.customer_id IS NOT NULL AND NOT (EXISTS (SELECT ? AS anon_1 
FROM (SELECT source.customer_id AS customer_id, nullif(source.email, '') AS field_email, nullif(source.first_name, '') AS "field_firstName", nullif(source.city, '') AS field_city, nullif(source."plan", '') AS custom_plan 
FROM customers AS source) AS source 
WHERE dailystory_customers_rejections.customer_id = source.customer_id))) AND ((dailystory_customers_rejections.reason NOT IN (?)) AND dailystory_customers_rejections.last_seen_at < ? OR dailystory_customers_rejections.reason IN (?) AND NOT (EXISTS (SELECT dailystory_customers_pending.sequence 
FROM dailystory_customers_pending 
WHERE dailystory_customers_rejections.customer_id = dailystory_customers_pending.customer_id AND dailystory_customers_pending.departed = 0)));

DELETE FROM dailystory_customers_rejections WHERE ((EXISTS (SELECT ? AS anon_1 
FROM (SELECT source.customer_id AS customer_id, nullif(source.email, '') AS field_email, nullif(source.first_name, '') AS "field_firstName", nullif(source.city, '') AS field_city, nullif(source."plan", '') AS custom_plan 
FROM customers AS source) AS source 
WHERE dailystory_customers_rejections.customer_id = source.customer_id AND (source.customer_id = ? OR source.customer_id = ?))) OR dailystory_customers_rejections.customer_id IS NOT NULL AND NOT (EXISTS (SELECT ? AS anon_1 
FROM (SELECT source.customer_id AS customer_id, nullif(source.email, '') AS field_email, nullif(source.first_name, '') AS "field_firstName", nullif(source.city, '') AS field_city, nullif(source."plan", '') AS custom_plan 
FROM customers AS source) AS source 
WHERE dailystory_customers_rejections.customer_id = source.customer_id))) AND ((dailystory_customers_rejections.reason NOT IN (?)) AND dailystory_customers_rejections.last_seen_at < ? OR dailystory_customers_rejections.reason IN (?) AND NOT (EXISTS (SELECT dailystory_customers_pending.sequence 
FROM dailystory_customers_pending 
WHERE dailystory_customers_rejections.customer_id = dailystory_customers_pending.customer_id AND dailystory_customers_pending.departed = 0)));

DELETE FROM dailystory_customers_rejections WHERE ((EXISTS (SELECT ? AS anon_1 
FROM (SELECT source.customer_id AS customer_id, nullif(source.email, '') AS field_email, nullif(source.first_name, '') AS "field_firstName", nullif(source.city, '') AS field_city, nullif(source."plan", '') AS custom_plan 
FROM customers AS source) AS source 
WHERE dailystory_customers_rejections.customer_id = source.customer_id AND 1 = 1)) OR NOT (EXISTS (SELECT ? AS anon_1 
FROM (SELECT source.customer_id AS customer_id, nullif(source.email, '') AS field_email, nullif(source.first_name, '') AS "field_firstName", nullif(source.city, '') AS field_city, nullif(source."plan", '') AS custom_plan 
FROM customers AS source) AS source 
WHERE dailystory_customers_rejections.customer_id = source.customer_id))) AND ((dailystory_customers_rejections.reason NOT IN (?)) AND dailystory_customers_rejections.last_seen_at < ? OR dailystory_customers_rejections.reason IN (?) AND NOT (EXISTS (SELECT dailystory_customers_pending.sequence 
FROM dailystory_customers_pending 
WHERE dailystory_customers_rejections.customer_id = dailystory_customers_pending.customer_id AND dailystory_customers_pending.departed = 0)));

DELETE FROM dailystory_customers_rejections WHERE ((EXISTS (SELECT ? AS anon_1 
FROM (SELECT source.customer_id AS customer_id, nullif(source.email, '') AS field_email, nullif(source.first_name, '') AS "field_firstName", nullif(source.city, '') AS field_city, nullif(source."plan", '') AS custom_plan 
FROM customers AS source) AS source 
WHERE dailystory_customers_rejections.customer_id = source.customer_id AND CAST(coalesce(dailystory_hash(CAST(source.customer_id AS TEXT)) % 2, ?) AS BIGINT) = ?)) OR NOT (EXISTS (SELECT ? AS anon_1 
FROM (SELECT source.customer_id AS customer_id, nullif(source.email, '') AS field_email, nullif(source.first_name, '') AS "field_firstName", nullif(source.city, '') AS field_city, nullif(source."plan", '') AS custom_plan 
FROM customers AS source) AS source 
WHERE dailystory_customers_rejections.customer_id = source.customer_id))) AND ((dailystory_customers_rejections.reason NOT IN (?)) AND dailystory_customers_rejections.last_seen_at < ? OR dailystory_customers_rejections.reason IN (?) AND NOT (EXISTS (SELECT dailystory_customers_pending.sequence 
FROM dailystory_customers_pending 
WHERE dailystory_customers_rejections.customer_id = dailystory_customers_pending.customer_id AND dailystory_customers_pending.departed = 0)));

DELETE FROM dailystory_customers_rejections WHERE ((EXISTS (SELECT ? AS anon_1 
FROM (SELECT source.customer_id AS customer_id, nullif(source.email, '') AS field_email, nullif(source.first_name, '') AS "field_firstName", nullif(source.city, '') AS field_city, nullif(source."plan", '') AS custom_plan 
FROM dailystory_customers_staged AS source) AS source 
WHERE dailystory_customers_rejections.customer_id = source.customer_id AND 1 = 1)) OR NOT (EXISTS (SELECT ? AS anon_1 
FROM (SELECT source.customer_id AS customer_id, nullif(source.email, '') AS field_email, nullif(source.first_name, '') AS "field_firstName", nullif(source.city, '') AS field_city, nullif(source."plan", '') AS custom_plan 
FROM dailystory_customers_staged AS source) AS source 
WHERE dailystory_customers_rejections.customer_id = source.customer_id))) AND ((dailystory_customers_rejections.reason NOT IN (?)) AND dailystory_customers_rejections.last_seen_at < ? OR dailystory_customers_rejections.reason IN (?) AND NOT (EXISTS (SELECT dailystory_customers_pending.sequence 
FROM dailystory_customers_pending 
WHERE dailystory_customers_rejections.customer_id = dailystory_customers_pending.customer_id AND dailystory_customers_pending.departed = 0)));

DELETE FROM dailystory_customers_rejections WHERE ((EXISTS (SELECT ? AS anon_1 
FROM (SELECT source.customer_id AS customer_id, nullif(source.email, '') AS field_email, nullif(source.first_name, '') AS "field_firstName", nullif(source.level, '') AS field_city, nullif(source."plan", '') AS "field_lastName", nullif(source."plan", '') AS custom_plan 
FROM customers AS source) AS source 
WHERE dailystory_customers_rejections.customer_id = source.customer_id AND 1 = 1)) OR NOT (EXISTS (SELECT ? AS anon_1 
FROM (SELECT source.customer_id AS customer_id, nullif(source.email, '') AS field_email, nullif(source.first_name, '') AS "field_firstName", nullif(source.level, '') AS field_city, nullif(source."plan", '') AS "field_lastName", nullif(source."plan", '') AS custom_plan 
FROM customers AS source) AS source 
WHERE dailystory_customers_rejections.customer_id = source.customer_id))) AND ((dailystory_customers_rejections.reason NOT IN (?)) AND dailystory_customers_rejections.last_seen_at < ? OR dailystory_customers_rejections.reason IN (?) AND NOT (EXISTS (SELECT dailystory_customers_pending.sequence 
FROM dailystory_customers_pending 
WHERE dailystory_customers_rejections.customer_id = dailystory_customers_pending.customer_id AND dailystory_customers_pending.departed = 0)));

DELETE FROM dailystory_customers_rejections WHERE ((EXISTS (SELECT ? AS anon_1 
FROM dailystory_customers_present 
WHERE dailystory_customers_rejections.customer_id = dailystory_customers_present.customer_id AND 1 = 1)) OR NOT (EXISTS (SELECT ? AS anon_1 
FROM dailystory_customers_present 
WHERE dailystory_customers_rejections.customer_id = dailystory_customers_present.customer_id))) AND ((dailystory_customers_rejections.reason NOT IN (?)) AND dailystory_customers_rejections.last_seen_at < ? OR dailystory_customers_rejections.reason IN (?) AND NOT (EXISTS (SELECT dailystory_customers_pending.sequence 
FROM dailystory_customers_pending 
WHERE dailystory_customers_rejections.customer_id = dailystory_customers_pending.customer_id AND dailystory_customers_pending.departed = 0)));

DELETE FROM dailystory_customers_rejections WHERE ((EXISTS (SELECT ? AS anon_1 
FROM dailystory_customers_staged AS source 
WHERE dailystory_customers_rejections.customer_id = source.customer_id AND (EXISTS (SELECT * 
FROM dailystory_customers_rejections 
WHERE dailystory_customers_rejections.customer_id = source.customer_id)))) OR dailystory_customers_rejections.customer_id IS NOT NULL AND NOT (EXISTS (SELECT ? AS anon_1 
FROM dailystory_customers_staged AS source 
WHERE dailystory_customers_rejections.customer_id = source.customer_id))) AND ((dailystory_customers_rejections.reason NOT IN (?)) AND dailystory_customers_rejections.last_seen_at < ? OR dailystory_customers_rejections.reason IN (?) AND NOT (EXISTS (SELECT dailystory_customers_pending.sequence 
FROM dailystory_customers_pending 
WHERE dailystory_customers_rejections.customer_id = dailystory_customers_pending.customer_id AND dailystory_customers_pending.departed = 0)));

DELETE FROM dailystory_customers_rejections WHERE ((EXISTS (SELECT ? AS anon_1 
FROM dailystory_customers_staged AS source 
WHERE dailystory_customers_rejections.customer_id = source.customer_id AND 1 = 1)) OR NOT (EXISTS (SELECT ? AS anon_1 
FROM dailystory_customers_staged AS source 
WHERE dailystory_customers_rejections.customer_id = source.customer_id))) AND ((dailystory_customers_rejections.reason NOT IN (?)) AND dailystory_customers_rejections.last_seen_at < ? OR dailystory_customers_rejections.reason IN (?) AND NOT (EXISTS (SELECT dailystory_customers_pending.sequence 
FROM dailystory_customers_pending 
WHERE dailystory_customers_rejections.customer_id = dailystory_customers_pending.customer_id AND dailystory_customers_pending.departed = 0)));

DELETE FROM dailystory_customers_rejections WHERE ((EXISTS (SELECT ? AS anon_1 
FROM dailystory_customers_staged AS source 
WHERE dailystory_customers_rejections.customer_id = source.customer_id AND CAST(coalesce(dailystory_hash(CAST(source.customer_id AS TEXT)) % 2, ?) AS BIGINT) = ?)) OR NOT (EXISTS (SELECT ? AS anon_1 
FROM dailystory_customers_staged AS source 
WHERE dailystory_customers_rejections.customer_id = source.customer_id))) AND ((dailystory_customers_rejections.reason NOT IN (?)) AND dailystory_customers_rejections.last_seen_at < ? OR dailystory_customers_rejections.reason IN (?) AND NOT (EXISTS (SELECT dailystory_customers_pending.sequence 
FROM dailystory_customers_pending 
WHERE dailystory_customers_rejections.customer_id = dailystory_customers_pending.customer_id AND dailystory_customers_pending.departed = 0)));

DELETE FROM dailystory_customers_rejections WHERE ((EXISTS (SELECT ? AS anon_1 
FROM dailystory_customers_staged AS source 
WHERE dailystory_customers_rejections.customer_id = source.customer_id AND source.customer_id = ?)) OR dailystory_customers_rejections.customer_id IS NOT NULL AND NOT (EXISTS (SELECT ? AS anon_1 
FROM dailystory_customers_staged AS source 
WHERE dailystory_customers_rejections.customer_id = source.customer_id))) AND ((dailystory_customers_rejections.reason NOT IN (?)) AND dailystory_customers_rejections.last_seen_at < ? OR dailystory_customers_rejections.reason IN (?) AND NOT (EXISTS (SELECT dailystory_customers_pending.sequence 
FROM dailystory_customers_pending 
WHERE dailystory_customers_rejections.customer_id = dailystory_customers_pending.customer_id AND dailystory_customers_pending.departed = 0)));

DELETE FROM dailystory_customers_rejections WHERE dailystory_customers_rejections.customer_id IN (SELECT dailystory_customers_changes.customer_id 
FROM dailystory_customers_changes JOIN dailystory_customers_answers ON dailystory_customers_answers.sequence = dailystory_customers_changes.sequence 
WHERE dailystory_customers_changes.plan_id = ? AND dailystory_customers_changes.sequence IN (SELECT dailystory_customers_answers.sequence 
FROM dailystory_customers_answers) AND dailystory_customers_answers.outcome IN (?));

DELETE FROM dailystory_customers_row_hashes;

DELETE FROM dailystory_customers_row_hashes WHERE dailystory_customers_row_hashes.customer_id IN (SELECT dailystory_customers_duplicates.customer_id 
FROM dailystory_customers_duplicates 
WHERE dailystory_customers_duplicates.customer_id IS NOT NULL);

DELETE FROM dailystory_customers_row_hashes WHERE dailystory_customers_row_hashes.customer_id IN (SELECT dailystory_customers_pending.customer_id 
FROM dailystory_customers_pending 
WHERE dailystory_customers_pending.customer_id IS NOT NULL);

DELETE FROM dailystory_customers_snapshot WHERE EXISTS (SELECT moved.dsid 
FROM (SELECT dailystory_customers_changes.customer_id AS customer_id, dailystory_customers_changes.dsid AS dsid 
FROM dailystory_customers_changes JOIN dailystory_customers_answers ON dailystory_customers_answers.sequence = dailystory_customers_changes.sequence 
WHERE dailystory_customers_changes.plan_id = ? AND dailystory_customers_changes.sequence IN (SELECT dailystory_customers_answers.sequence 
FROM dailystory_customers_answers) AND dailystory_customers_answers.outcome IN (?) AND dailystory_customers_changes.rekeyed = 1) AS moved 
WHERE moved.customer_id = dailystory_customers_snapshot.customer_id);

DELETE FROM dailystory_meta WHERE dailystory_meta.name = ?;

DROP TABLE IF EXISTS dailystory_customers_present;

DROP TABLE IF EXISTS dailystory_customers_staged;

INSERT INTO dailystory_customers_answers VALUES (?);

INSERT INTO dailystory_customers_changes (plan_id, sequence, customer_id, field_email, "field_firstName", field_city, "field_lastName", custom_plan, differs_field_email, "differs_field_firstName", differs_field_city, "differs_field_lastName", differs_custom_plan, is_new, replaces, operation, identity_email, identity_mobile, identity_changed, dsid, rekeyed, reactivates, absent_action, deleted_in_dailystory, priority, waits_for, dropped_fields) SELECT ? AS plan_id, dailystory_customers_pending.sequence, dailystory_customers_pending.customer_id, dailystory_customers_pending.field_email, dailystory_customers_pending."field_firstName", dailystory_customers_pending.field_city, dailystory_customers_pending."field_lastName", dailystory_customers_pending.custom_plan, dailystory_customers_pending.differs_field_email, dailystory_customers_pending."differs_field_firstName", dailystory_customers_pending.differs_field_city, dailystory_customers_pending."differs_field_lastName", dailystory_customers_pending.differs_custom_plan, dailystory_customers_pending.is_new, dailystory_customers_pending.replaces = 1 OR coalesce(dailystory_customers_judged.rekeyed, ?) = 1 AS replaces, dailystory_customers_judged.operation, dailystory_customers_judged.identity_email, dailystory_customers_judged.identity_mobile, dailystory_customers_judged.identity_changed, dailystory_customers_judged.dsid, dailystory_customers_judged.rekeyed, dailystory_customers_judged.reactivates, dailystory_customers_judged.absent_action, dailystory_customers_judged.deleted_in_dailystory, dailystory_customers_judged.priority, dailystory_customers_judged.waits_for, dailystory_customers_judged.dropped_fields 
FROM dailystory_customers_pending JOIN dailystory_customers_judged ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_judged.reason IS NULL AND dailystory_customers_judged.held = 0;

INSERT INTO dailystory_customers_changes (plan_id, sequence, customer_id, field_email, "field_firstName", field_city, custom_plan, differs_field_email, "differs_field_firstName", differs_field_city, differs_custom_plan, is_new, replaces, operation, identity_email, identity_mobile, identity_changed, dsid, rekeyed, reactivates, absent_action, deleted_in_dailystory, priority, waits_for, dropped_fields) SELECT ? AS plan_id, dailystory_customers_pending.sequence, dailystory_customers_pending.customer_id, dailystory_customers_pending.field_email, dailystory_customers_pending."field_firstName", dailystory_customers_pending.field_city, dailystory_customers_pending.custom_plan, dailystory_customers_pending.differs_field_email, dailystory_customers_pending."differs_field_firstName", dailystory_customers_pending.differs_field_city, dailystory_customers_pending.differs_custom_plan, dailystory_customers_pending.is_new, dailystory_customers_pending.replaces = 1 OR coalesce(dailystory_customers_judged.rekeyed, ?) = 1 AS replaces, dailystory_customers_judged.operation, dailystory_customers_judged.identity_email, dailystory_customers_judged.identity_mobile, dailystory_customers_judged.identity_changed, dailystory_customers_judged.dsid, dailystory_customers_judged.rekeyed, dailystory_customers_judged.reactivates, dailystory_customers_judged.absent_action, dailystory_customers_judged.deleted_in_dailystory, dailystory_customers_judged.priority, dailystory_customers_judged.waits_for, dailystory_customers_judged.dropped_fields 
FROM dailystory_customers_pending JOIN dailystory_customers_judged ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_judged.reason IS NULL AND dailystory_customers_judged.held = 0;

INSERT INTO dailystory_customers_changes (plan_id, sequence, customer_id, field_email, "field_firstName", field_city, custom_plan, differs_field_email, "differs_field_firstName", differs_field_city, differs_custom_plan, is_new, replaces, operation, identity_email, identity_mobile, identity_changed, dsid, rekeyed, reactivates, absent_action, deleted_in_dailystory, priority, waits_for, dropped_fields) SELECT ? AS plan_id, dailystory_customers_pending.sequence, dailystory_customers_pending.customer_id, dailystory_customers_pending.field_email, dailystory_customers_pending."field_firstName", dailystory_customers_pending.field_city, dailystory_customers_pending.custom_plan, dailystory_customers_pending.differs_field_email, dailystory_customers_pending."differs_field_firstName", dailystory_customers_pending.differs_field_city, dailystory_customers_pending.differs_custom_plan, dailystory_customers_pending.is_new, dailystory_customers_pending.replaces = 1 OR coalesce(dailystory_customers_judged.rekeyed, ?) = 1 AS replaces, dailystory_customers_judged.operation, dailystory_customers_judged.identity_email, dailystory_customers_judged.identity_mobile, dailystory_customers_judged.identity_changed, dailystory_customers_judged.dsid, dailystory_customers_judged.rekeyed, dailystory_customers_judged.reactivates, dailystory_customers_judged.absent_action, dailystory_customers_judged.deleted_in_dailystory, dailystory_customers_judged.priority, dailystory_customers_judged.waits_for, dailystory_customers_judged.dropped_fields 
FROM dailystory_customers_pending JOIN dailystory_customers_judged ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_judged.reason IS NULL AND dailystory_customers_judged.held = 0 AND (dailystory_customers_judged.operation = ? OR dailystory_customers_judged.sequence IN (SELECT anon_1.sequence 
FROM (SELECT dailystory_customers_judged.sequence AS sequence, row_number() OVER (ORDER BY dailystory_customers_judged.priority, dailystory_customers_judged.sequence) AS place 
FROM dailystory_customers_judged 
WHERE dailystory_customers_judged.reason IS NULL AND dailystory_customers_judged.held = 0 AND dailystory_customers_judged.operation != ? AND dailystory_customers_judged.waits_for IS NULL) AS anon_1 
WHERE anon_1.place <= ?));

INSERT INTO dailystory_customers_changes (plan_id, sequence, customer_id, operation, dsid, reason, message, priority) SELECT ? AS plan_id, departures.sequence, departures.customer_id, departures.operation, departures.dsid, departures.reason, departures.message, ? AS priority 
FROM (SELECT departed.sequence AS sequence, departed.customer_id AS customer_id, CASE WHEN ((EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new = 1 AND dailystory_customers_judged.identity_email = departed.old_email)) OR (EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new = 1 AND dailystory_customers_judged.identity_mobile = departed.old_mobile)) OR (EXISTS (SELECT ? AS anon_1 
FROM dailystory_customers_newcomers 
WHERE dailystory_customers_newcomers.identity_email = departed.old_email)) OR (EXISTS (SELECT ? AS anon_1 
FROM dailystory_customers_newcomers 
WHERE dailystory_customers_newcomers.identity_mobile = departed.old_mobile))) THEN NULL ELSE ? END AS operation, dailystory_customers_contact_map.dsid AS dsid, CASE WHEN ((EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new = 1 AND dailystory_customers_judged.identity_email = departed.old_email)) OR (EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new = 1 AND dailystory_customers_judged.identity_mobile = departed.old_mobile)) OR (EXISTS (SELECT ? AS anon_1 
FROM dailystory_customers_newcomers 
WHERE dailystory_customers_newcomers.identity_email = departed.old_email)) OR (EXISTS (SELECT ? AS anon_1 
FROM dailystory_customers_newcomers 
WHERE dailystory_customers_newcomers.identity_mobile = departed.old_mobile))) THEN NULL ELSE ? END AS reason, CASE WHEN ((EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new = 1 AND dailystory_customers_judged.identity_email = departed.old_email)) OR (EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new = 1 AND dailystory_customers_judged.identity_mobile = departed.old_mobile)) OR (EXISTS (SELECT ? AS anon_1 
FROM dailystory_customers_newcomers 
WHERE dailystory_customers_newcomers.identity_email = departed.old_email)) OR (EXISTS (SELECT ? AS anon_1 
FROM dailystory_customers_newcomers 
WHERE dailystory_customers_newcomers.identity_mobile = departed.old_mobile))) THEN NULL ELSE ? END AS message 
FROM (SELECT dailystory_customers_pending.sequence AS sequence, dailystory_customers_pending.customer_id AS customer_id, dailystory_customers_pending.field_email AS field_email, dailystory_customers_pending."field_firstName" AS "field_firstName", dailystory_customers_pending.field_city AS field_city, dailystory_customers_pending.custom_plan AS custom_plan, dailystory_customers_pending.differs_field_email AS differs_field_email, dailystory_customers_pending."differs_field_firstName" AS "differs_field_firstName", dailystory_customers_pending.differs_field_city AS differs_field_city, dailystory_customers_pending.differs_custom_plan AS differs_custom_plan, dailystory_customers_pending.is_new AS is_new, dailystory_customers_pending.replaces AS replaces, dailystory_customers_pending.departed AS departed, dailystory_customers_pending.returns AS returns, dailystory_customers_pending.old_email AS old_email, dailystory_customers_pending.old_mobile AS old_mobile 
FROM dailystory_customers_pending 
WHERE dailystory_customers_pending.departed = 1) AS departed JOIN dailystory_customers_contact_map ON dailystory_customers_contact_map.customer_id = departed.customer_id) AS departures 
WHERE departures.operation IS NOT NULL;

INSERT INTO dailystory_customers_changes (plan_id, sequence, customer_id, operation, dsid, reason, message, priority) SELECT ? AS plan_id, departures.sequence, departures.customer_id, departures.operation, departures.dsid, departures.reason, departures.message, ? AS priority 
FROM (SELECT departed.sequence AS sequence, departed.customer_id AS customer_id, CASE WHEN ((EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new = 1 AND dailystory_customers_judged.identity_email = departed.old_email)) OR (EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new = 1 AND dailystory_customers_judged.identity_mobile = departed.old_mobile))) THEN NULL ELSE ? END AS operation, dailystory_customers_contact_map.dsid AS dsid, CASE WHEN ((EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new = 1 AND dailystory_customers_judged.identity_email = departed.old_email)) OR (EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new = 1 AND dailystory_customers_judged.identity_mobile = departed.old_mobile))) THEN NULL ELSE ? END AS reason, CASE WHEN ((EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new = 1 AND dailystory_customers_judged.identity_email = departed.old_email)) OR (EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new = 1 AND dailystory_customers_judged.identity_mobile = departed.old_mobile))) THEN NULL ELSE ? END AS message 
FROM (SELECT dailystory_customers_pending.sequence AS sequence, dailystory_customers_pending.customer_id AS customer_id, dailystory_customers_pending.field_email AS field_email, dailystory_customers_pending."field_firstName" AS "field_firstName", dailystory_customers_pending.field_city AS field_city, dailystory_customers_pending."field_lastName" AS "field_lastName", dailystory_customers_pending.custom_plan AS custom_plan, dailystory_customers_pending.differs_field_email AS differs_field_email, dailystory_customers_pending."differs_field_firstName" AS "differs_field_firstName", dailystory_customers_pending.differs_field_city AS differs_field_city, dailystory_customers_pending."differs_field_lastName" AS "differs_field_lastName", dailystory_customers_pending.differs_custom_plan AS differs_custom_plan, dailystory_customers_pending.is_new AS is_new, dailystory_customers_pending.replaces AS replaces, dailystory_customers_pending.departed AS departed, dailystory_customers_pending.returns AS returns, dailystory_customers_pending.old_email AS old_email, dailystory_customers_pending.old_mobile AS old_mobile 
FROM dailystory_customers_pending 
WHERE dailystory_customers_pending.departed = 1) AS departed JOIN dailystory_customers_contact_map ON dailystory_customers_contact_map.customer_id = departed.customer_id) AS departures 
WHERE departures.operation IS NOT NULL;

INSERT INTO dailystory_customers_changes (plan_id, sequence, customer_id, operation, dsid, reason, message, priority) SELECT ? AS plan_id, departures.sequence, departures.customer_id, departures.operation, departures.dsid, departures.reason, departures.message, ? AS priority 
FROM (SELECT departed.sequence AS sequence, departed.customer_id AS customer_id, CASE WHEN ((EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new = 1 AND dailystory_customers_judged.identity_email = departed.old_email)) OR (EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new = 1 AND dailystory_customers_judged.identity_mobile = departed.old_mobile))) THEN NULL ELSE ? END AS operation, dailystory_customers_contact_map.dsid AS dsid, CASE WHEN ((EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new = 1 AND dailystory_customers_judged.identity_email = departed.old_email)) OR (EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new = 1 AND dailystory_customers_judged.identity_mobile = departed.old_mobile))) THEN NULL ELSE ? END AS reason, CASE WHEN ((EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new = 1 AND dailystory_customers_judged.identity_email = departed.old_email)) OR (EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new = 1 AND dailystory_customers_judged.identity_mobile = departed.old_mobile))) THEN NULL ELSE ? END AS message 
FROM (SELECT dailystory_customers_pending.sequence AS sequence, dailystory_customers_pending.customer_id AS customer_id, dailystory_customers_pending.field_email AS field_email, dailystory_customers_pending."field_firstName" AS "field_firstName", dailystory_customers_pending.field_city AS field_city, dailystory_customers_pending.custom_plan AS custom_plan, dailystory_customers_pending.differs_field_email AS differs_field_email, dailystory_customers_pending."differs_field_firstName" AS "differs_field_firstName", dailystory_customers_pending.differs_field_city AS differs_field_city, dailystory_customers_pending.differs_custom_plan AS differs_custom_plan, dailystory_customers_pending.is_new AS is_new, dailystory_customers_pending.replaces AS replaces, dailystory_customers_pending.departed AS departed, dailystory_customers_pending.returns AS returns, dailystory_customers_pending.old_email AS old_email, dailystory_customers_pending.old_mobile AS old_mobile 
FROM dailystory_customers_pending 
WHERE dailystory_customers_pending.departed = 1 AND CAST(coalesce(dailystory_hash(CAST(dailystory_customers_pending.customer_id AS TEXT)) % 2, ?) AS BIGINT) = ?) AS departed JOIN dailystory_customers_contact_map ON dailystory_customers_contact_map.customer_id = departed.customer_id) AS departures 
WHERE departures.operation IS NOT NULL;

INSERT INTO dailystory_customers_changes (plan_id, sequence, customer_id, operation, dsid, reason, message, priority) SELECT ? AS plan_id, departures.sequence, departures.customer_id, departures.operation, departures.dsid, departures.reason, departures.message, ? AS priority 
FROM (SELECT departed.sequence AS sequence, departed.customer_id AS customer_id, CASE WHEN ((EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new = 1 AND dailystory_customers_judged.identity_email = departed.old_email)) OR (EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new = 1 AND dailystory_customers_judged.identity_mobile = departed.old_mobile))) THEN NULL ELSE ? END AS operation, dailystory_customers_contact_map.dsid AS dsid, CASE WHEN ((EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new = 1 AND dailystory_customers_judged.identity_email = departed.old_email)) OR (EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new = 1 AND dailystory_customers_judged.identity_mobile = departed.old_mobile))) THEN NULL ELSE ? END AS reason, CASE WHEN ((EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new = 1 AND dailystory_customers_judged.identity_email = departed.old_email)) OR (EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new = 1 AND dailystory_customers_judged.identity_mobile = departed.old_mobile))) THEN NULL ELSE ? END AS message 
FROM (SELECT dailystory_customers_pending.sequence AS sequence, dailystory_customers_pending.customer_id AS customer_id, dailystory_customers_pending.field_email AS field_email, dailystory_customers_pending."field_firstName" AS "field_firstName", dailystory_customers_pending.field_city AS field_city, dailystory_customers_pending.custom_plan AS custom_plan, dailystory_customers_pending.differs_field_email AS differs_field_email, dailystory_customers_pending."differs_field_firstName" AS "differs_field_firstName", dailystory_customers_pending.differs_field_city AS differs_field_city, dailystory_customers_pending.differs_custom_plan AS differs_custom_plan, dailystory_customers_pending.is_new AS is_new, dailystory_customers_pending.replaces AS replaces, dailystory_customers_pending.departed AS departed, dailystory_customers_pending.returns AS returns, dailystory_customers_pending.old_email AS old_email, dailystory_customers_pending.old_mobile AS old_mobile 
FROM dailystory_customers_pending 
WHERE dailystory_customers_pending.departed = 1) AS departed JOIN dailystory_customers_contact_map ON dailystory_customers_contact_map.customer_id = departed.customer_id) AS departures 
WHERE departures.operation IS NOT NULL;

INSERT INTO dailystory_customers_contact_map (customer_id, dsid, first_synced_at, last_synced_at) SELECT linked.customer_id, linked.dsid, linked.answered_at, linked.answered_at AS answered_at__1 
FROM (SELECT dailystory_customers_changes.customer_id AS customer_id, dailystory_customers_answers.dsid AS dsid, dailystory_customers_answers.answered_at AS answered_at 
FROM dailystory_customers_changes JOIN dailystory_customers_answers ON dailystory_customers_answers.sequence = dailystory_customers_changes.sequence 
WHERE dailystory_customers_changes.plan_id = ? AND dailystory_customers_changes.sequence IN (SELECT dailystory_customers_answers.sequence 
FROM dailystory_customers_answers) AND dailystory_customers_answers.outcome IN (?)) AS linked 
WHERE NOT (EXISTS (SELECT dailystory_customers_contact_map.dsid 
FROM dailystory_customers_contact_map 
WHERE dailystory_customers_contact_map.customer_id = linked.customer_id));

INSERT INTO dailystory_customers_intents (customer_id, plan_id, sequence, email_as_sent, mobile_as_sent, dsid, sent_at) SELECT dailystory_customers_changes.customer_id, dailystory_customers_changes.plan_id, dailystory_customers_changes.sequence, given.email, given.mobile, given.dsid, ? AS anon_1 
FROM dailystory_customers_changes JOIN (SELECT json_extract(anon_2.value, ?) AS sequence, json_extract(anon_2.value, ?) AS email, json_extract(anon_2.value, ?) AS mobile, json_extract(anon_2.value, ?) AS dsid 
FROM json_each(?) AS anon_2
 LIMIT -1 OFFSET ?) AS given ON dailystory_customers_changes.sequence = given.sequence 
WHERE dailystory_customers_changes.plan_id = ? AND NOT (EXISTS (SELECT dailystory_customers_intents.plan_id 
FROM dailystory_customers_intents 
WHERE dailystory_customers_intents.customer_id = dailystory_customers_changes.customer_id));

INSERT INTO dailystory_customers_judged (sequence, operation, identity_email, identity_mobile, identity_changed, held, dsid, reactivates, priority) SELECT dailystory_customers_pending.sequence, ? AS operation, dailystory_customers_pending.old_email AS identity_email, dailystory_customers_pending.old_mobile AS identity_mobile, 0 AS identity_changed, 0 AS held, dailystory_customers_contact_map.dsid, 0 AS reactivates, ? AS priority 
FROM dailystory_customers_pending JOIN dailystory_customers_contact_map ON dailystory_customers_contact_map.customer_id = dailystory_customers_pending.customer_id LEFT OUTER JOIN dailystory_customers_rejections ON dailystory_customers_rejections.customer_id = dailystory_customers_pending.customer_id 
WHERE NOT (dailystory_customers_pending.departed = 1 OR dailystory_customers_pending.is_new = 1 OR dailystory_customers_pending.replaces = 1) AND (dailystory_customers_pending.differs_field_email = 1 OR dailystory_customers_pending."differs_field_firstName" = 1 OR dailystory_customers_pending.differs_field_city = 1 OR dailystory_customers_pending."differs_field_lastName" = 1 OR dailystory_customers_pending.differs_custom_plan = 1) AND dailystory_customers_pending.differs_field_email = 0 AND (dailystory_customers_pending."differs_field_firstName" = 0 OR length(dailystory_customers_pending."field_firstName") <= ? AND (lower(dailystory_customers_pending."field_firstName") != upper(dailystory_customers_pending."field_firstName") OR ltrim(dailystory_customers_pending."field_firstName", ?) != dailystory_customers_pending."field_firstName") AND dailystory_customers_pending."field_firstName" != ?) AND (dailystory_customers_pending.differs_field_city = 0 OR length(dailystory_customers_pending.field_city) <= ? AND (lower(dailystory_customers_pending.field_city) != upper(dailystory_customers_pending.field_city) OR ltrim(dailystory_customers_pending.field_city, ?) != dailystory_customers_pending.field_city) AND dailystory_customers_pending.field_city != ?) AND (dailystory_customers_pending."differs_field_lastName" = 0 OR length(dailystory_customers_pending."field_lastName") <= ? AND (lower(dailystory_customers_pending."field_lastName") != upper(dailystory_customers_pending."field_lastName") OR ltrim(dailystory_customers_pending."field_lastName", ?) != dailystory_customers_pending."field_lastName") AND dailystory_customers_pending."field_lastName" != ?) AND (dailystory_customers_pending.differs_custom_plan = 0 OR length(dailystory_customers_pending.custom_plan) <= ? AND (lower(dailystory_customers_pending.custom_plan) != upper(dailystory_customers_pending.custom_plan) OR ltrim(dailystory_customers_pending.custom_plan, ?) != dailystory_customers_pending.custom_plan) AND dailystory_customers_pending.custom_plan != ?) AND dailystory_customers_contact_map.deactivated_at IS NULL AND dailystory_customers_contact_map.deleted_at IS NULL AND dailystory_customers_rejections.customer_id IS NULL AND dailystory_customers_contact_map.deleted_in_dailystory_at IS NULL;

INSERT INTO dailystory_customers_judged (sequence, operation, identity_email, identity_mobile, identity_changed, held, dsid, reactivates, priority) SELECT dailystory_customers_pending.sequence, ? AS operation, dailystory_customers_pending.old_email AS identity_email, dailystory_customers_pending.old_mobile AS identity_mobile, 0 AS identity_changed, 0 AS held, dailystory_customers_contact_map.dsid, 0 AS reactivates, ? AS priority 
FROM dailystory_customers_pending JOIN dailystory_customers_contact_map ON dailystory_customers_contact_map.customer_id = dailystory_customers_pending.customer_id LEFT OUTER JOIN dailystory_customers_rejections ON dailystory_customers_rejections.customer_id = dailystory_customers_pending.customer_id 
WHERE NOT (dailystory_customers_pending.departed = 1 OR dailystory_customers_pending.is_new = 1 OR dailystory_customers_pending.replaces = 1) AND (dailystory_customers_pending.differs_field_email = 1 OR dailystory_customers_pending."differs_field_firstName" = 1 OR dailystory_customers_pending.differs_field_city = 1 OR dailystory_customers_pending."differs_field_lastName" = 1 OR dailystory_customers_pending.differs_custom_plan = 1) AND dailystory_customers_pending.differs_field_email = 0 AND dailystory_customers_pending."differs_field_firstName" = 0 AND dailystory_customers_pending.differs_field_city = 0 AND dailystory_customers_pending."differs_field_lastName" = 0 AND dailystory_customers_pending.differs_custom_plan = 0 AND dailystory_customers_contact_map.deactivated_at IS NULL AND dailystory_customers_contact_map.deleted_at IS NULL AND dailystory_customers_rejections.customer_id IS NULL AND dailystory_customers_contact_map.deleted_in_dailystory_at IS NULL;

INSERT INTO dailystory_customers_judged (sequence, operation, identity_email, identity_mobile, identity_changed, held, dsid, reactivates, priority) SELECT dailystory_customers_pending.sequence, ? AS operation, dailystory_customers_pending.old_email AS identity_email, dailystory_customers_pending.old_mobile AS identity_mobile, 0 AS identity_changed, 0 AS held, dailystory_customers_contact_map.dsid, 0 AS reactivates, ? AS priority 
FROM dailystory_customers_pending JOIN dailystory_customers_contact_map ON dailystory_customers_contact_map.customer_id = dailystory_customers_pending.customer_id LEFT OUTER JOIN dailystory_customers_rejections ON dailystory_customers_rejections.customer_id = dailystory_customers_pending.customer_id 
WHERE NOT (dailystory_customers_pending.departed = 1 OR dailystory_customers_pending.is_new = 1 OR dailystory_customers_pending.replaces = 1) AND (dailystory_customers_pending.differs_field_email = 1 OR dailystory_customers_pending."differs_field_firstName" = 1 OR dailystory_customers_pending.differs_field_city = 1 OR dailystory_customers_pending.differs_custom_plan = 1) AND dailystory_customers_pending.differs_field_email = 0 AND (dailystory_customers_pending."differs_field_firstName" = 0 OR length(dailystory_customers_pending."field_firstName") <= ? AND (lower(dailystory_customers_pending."field_firstName") != upper(dailystory_customers_pending."field_firstName") OR ltrim(dailystory_customers_pending."field_firstName", ?) != dailystory_customers_pending."field_firstName") AND dailystory_customers_pending."field_firstName" != ?) AND (dailystory_customers_pending.differs_field_city = 0 OR length(dailystory_customers_pending.field_city) <= ? AND (lower(dailystory_customers_pending.field_city) != upper(dailystory_customers_pending.field_city) OR ltrim(dailystory_customers_pending.field_city, ?) != dailystory_customers_pending.field_city) AND dailystory_customers_pending.field_city != ?) AND (dailystory_customers_pending.differs_custom_plan = 0 OR length(dailystory_customers_pending.custom_plan) <= ? AND (lower(dailystory_customers_pending.custom_plan) != upper(dailystory_customers_pending.custom_plan) OR ltrim(dailystory_customers_pending.custom_plan, ?) != dailystory_customers_pending.custom_plan) AND dailystory_customers_pending.custom_plan != ?) AND dailystory_customers_contact_map.deactivated_at IS NULL AND dailystory_customers_contact_map.deleted_at IS NULL AND dailystory_customers_rejections.customer_id IS NULL AND dailystory_customers_contact_map.deleted_in_dailystory_at IS NULL;

INSERT INTO dailystory_customers_judged (sequence, operation, identity_email, identity_mobile, identity_changed, held, dsid, reactivates, priority) SELECT dailystory_customers_pending.sequence, ? AS operation, dailystory_customers_pending.old_email AS identity_email, dailystory_customers_pending.old_mobile AS identity_mobile, 0 AS identity_changed, 0 AS held, dailystory_customers_contact_map.dsid, 0 AS reactivates, ? AS priority 
FROM dailystory_customers_pending JOIN dailystory_customers_contact_map ON dailystory_customers_contact_map.customer_id = dailystory_customers_pending.customer_id LEFT OUTER JOIN dailystory_customers_rejections ON dailystory_customers_rejections.customer_id = dailystory_customers_pending.customer_id 
WHERE NOT (dailystory_customers_pending.departed = 1 OR dailystory_customers_pending.is_new = 1 OR dailystory_customers_pending.replaces = 1) AND (dailystory_customers_pending.differs_field_email = 1 OR dailystory_customers_pending."differs_field_firstName" = 1 OR dailystory_customers_pending.differs_field_city = 1 OR dailystory_customers_pending.differs_custom_plan = 1) AND dailystory_customers_pending.differs_field_email = 0 AND dailystory_customers_pending."differs_field_firstName" = 0 AND dailystory_customers_pending.differs_field_city = 0 AND dailystory_customers_pending.differs_custom_plan = 0 AND dailystory_customers_contact_map.deactivated_at IS NULL AND dailystory_customers_contact_map.deleted_at IS NULL AND dailystory_customers_rejections.customer_id IS NULL AND dailystory_customers_contact_map.deleted_in_dailystory_at IS NULL;

INSERT INTO dailystory_customers_judged (sequence, operation, identity_email, identity_mobile, identity_changed, reason, message, held, rekeyed, reactivates, absent_action, deleted_in_dailystory, dsid, waits_for, priority, dropped_fields) SELECT given.sequence, given.operation, given.identity_email, given.identity_mobile, given.identity_changed, given.reason, given.message, given.held, given.rekeyed, given.reactivates, given.absent_action, given.deleted_in_dailystory, given.dsid, given.waits_for, given.priority, given.dropped_fields 
FROM (SELECT json_extract(anon_1.value, ?) AS sequence, json_extract(anon_1.value, ?) AS operation, json_extract(anon_1.value, ?) AS identity_email, json_extract(anon_1.value, ?) AS identity_mobile, json_extract(anon_1.value, ?) AS identity_changed, json_extract(anon_1.value, ?) AS reason, json_extract(anon_1.value, ?) AS message, json_extract(anon_1.value, ?) AS held, json_extract(anon_1.value, ?) AS rekeyed, json_extract(anon_1.value, ?) AS reactivates, json_extract(anon_1.value, ?) AS absent_action, json_extract(anon_1.value, ?) AS deleted_in_dailystory, json_extract(anon_1.value, ?) AS dsid, json_extract(anon_1.value, ?) AS waits_for, json_extract(anon_1.value, ?) AS priority, json_extract(anon_1.value, ?) AS dropped_fields 
FROM json_each(?) AS anon_1
 LIMIT -1 OFFSET ?) AS given;

INSERT INTO dailystory_customers_newcomers VALUES (?);

INSERT INTO dailystory_customers_pending (sequence, customer_id, departed, returns, old_email, old_mobile) SELECT row_number() OVER (ORDER BY dailystory_customers_snapshot.customer_id) + CAST(? AS BIGINT) AS sequence, dailystory_customers_snapshot.customer_id, 1 AS departed, dailystory_customers_snapshot.absent_since IS NOT NULL AS returns, dailystory_customers_snapshot.identity_email AS old_email, dailystory_customers_snapshot.identity_mobile AS old_mobile 
FROM dailystory_customers_snapshot LEFT OUTER JOIN (SELECT source.customer_id AS customer_id, nullif(source.email, '') AS field_email, nullif(source.first_name, '') AS "field_firstName", nullif(source.city, '') AS field_city, nullif(source."plan", '') AS custom_plan 
FROM customers AS source) AS source ON dailystory_customers_snapshot.customer_id = source.customer_id 
WHERE source.customer_id IS NULL AND (dailystory_customers_snapshot.absent_since IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL AND dailystory_customers_snapshot.absent_action IN (?));

INSERT INTO dailystory_customers_pending (sequence, customer_id, departed, returns, old_email, old_mobile) SELECT row_number() OVER (ORDER BY dailystory_customers_snapshot.customer_id) + CAST(? AS BIGINT) AS sequence, dailystory_customers_snapshot.customer_id, 1 AS departed, dailystory_customers_snapshot.absent_since IS NOT NULL AS returns, dailystory_customers_snapshot.identity_email AS old_email, dailystory_customers_snapshot.identity_mobile AS old_mobile 
FROM dailystory_customers_snapshot LEFT OUTER JOIN (SELECT source.customer_id AS customer_id, nullif(source.email, '') AS field_email, nullif(source.first_name, '') AS "field_firstName", nullif(source.city, '') AS field_city, nullif(source."plan", '') AS custom_plan 
FROM customers AS source) AS source ON dailystory_customers_snapshot.customer_id = source.customer_id 
WHERE source.customer_id IS NULL AND dailystory_customers_snapshot.absent_since IS NULL;

INSERT INTO dailystory_customers_pending (sequence, customer_id, departed, returns, old_email, old_mobile) SELECT row_number() OVER (ORDER BY dailystory_customers_snapshot.customer_id) + CAST(? AS BIGINT) AS sequence, dailystory_customers_snapshot.customer_id, 1 AS departed, dailystory_customers_snapshot.absent_since IS NOT NULL AS returns, dailystory_customers_snapshot.identity_email AS old_email, dailystory_customers_snapshot.identity_mobile AS old_mobile 
FROM dailystory_customers_snapshot LEFT OUTER JOIN (SELECT source.customer_id AS customer_id, nullif(source.email, '') AS field_email, nullif(source.first_name, '') AS "field_firstName", nullif(source.city, '') AS field_city, nullif(source."plan", '') AS custom_plan 
FROM dailystory_customers_staged AS source) AS source ON dailystory_customers_snapshot.customer_id = source.customer_id 
WHERE source.customer_id IS NULL AND dailystory_customers_snapshot.absent_since IS NULL;

INSERT INTO dailystory_customers_pending (sequence, customer_id, departed, returns, old_email, old_mobile) SELECT row_number() OVER (ORDER BY dailystory_customers_snapshot.customer_id) + CAST(? AS BIGINT) AS sequence, dailystory_customers_snapshot.customer_id, 1 AS departed, dailystory_customers_snapshot.absent_since IS NOT NULL AS returns, dailystory_customers_snapshot.identity_email AS old_email, dailystory_customers_snapshot.identity_mobile AS old_mobile 
FROM dailystory_customers_snapshot LEFT OUTER JOIN (SELECT source.customer_id AS customer_id, nullif(source.email, '') AS field_email, nullif(source.first_name, '') AS "field_firstName", nullif(source.level, '') AS field_city, nullif(source."plan", '') AS "field_lastName", nullif(source."plan", '') AS custom_plan 
FROM customers AS source) AS source ON dailystory_customers_snapshot.customer_id = source.customer_id 
WHERE source.customer_id IS NULL AND dailystory_customers_snapshot.absent_since IS NULL;

INSERT INTO dailystory_customers_pending (sequence, customer_id, departed, returns, old_email, old_mobile) SELECT row_number() OVER (ORDER BY dailystory_customers_snapshot.customer_id) + CAST(? AS BIGINT) AS sequence, dailystory_customers_snapshot.customer_id, 1 AS departed, dailystory_customers_snapshot.absent_since IS NOT NULL AS returns, dailystory_customers_snapshot.identity_email AS old_email, dailystory_customers_snapshot.identity_mobile AS old_mobile 
FROM dailystory_customers_snapshot LEFT OUTER JOIN dailystory_customers_present ON dailystory_customers_present.customer_id = dailystory_customers_snapshot.customer_id 
WHERE dailystory_customers_present.customer_id IS NULL AND (dailystory_customers_snapshot.absent_since IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL AND dailystory_customers_snapshot.absent_action IN (?));

INSERT INTO dailystory_customers_pending (sequence, customer_id, departed, returns, old_email, old_mobile) SELECT row_number() OVER (ORDER BY dailystory_customers_snapshot.customer_id) + CAST(? AS BIGINT) AS sequence, dailystory_customers_snapshot.customer_id, 1 AS departed, dailystory_customers_snapshot.absent_since IS NOT NULL AS returns, dailystory_customers_snapshot.identity_email AS old_email, dailystory_customers_snapshot.identity_mobile AS old_mobile 
FROM dailystory_customers_snapshot LEFT OUTER JOIN dailystory_customers_staged AS source ON source.customer_id = dailystory_customers_snapshot.customer_id 
WHERE source.customer_id IS NULL AND (dailystory_customers_snapshot.absent_since IS NULL OR dailystory_customers_snapshot.absent_since IS NOT NULL AND dailystory_customers_snapshot.absent_action IN (?));

INSERT INTO dailystory_customers_pending (sequence, customer_id, departed, returns, old_email, old_mobile) SELECT row_number() OVER (ORDER BY dailystory_customers_snapshot.customer_id) + CAST(? AS BIGINT) AS sequence, dailystory_customers_snapshot.customer_id, 1 AS departed, dailystory_customers_snapshot.absent_since IS NOT NULL AS returns, dailystory_customers_snapshot.identity_email AS old_email, dailystory_customers_snapshot.identity_mobile AS old_mobile 
FROM dailystory_customers_snapshot LEFT OUTER JOIN dailystory_customers_staged AS source ON source.customer_id = dailystory_customers_snapshot.customer_id 
WHERE source.customer_id IS NULL AND dailystory_customers_snapshot.absent_since IS NULL;

INSERT INTO dailystory_customers_present VALUES (?);

INSERT INTO dailystory_customers_rejections (customer_id, reason, message, fingerprint, opts_out, first_seen_at, last_seen_at, attempts, source_rows) SELECT found.customer_id, found.reason, found.message, found.fingerprint, found.opts_out, ? AS anon_1, ? AS anon__1, ? AS anon_2, ? AS anon__2 
FROM (SELECT dailystory_customers_changes.customer_id AS customer_id, given.reason AS reason, given.message AS message, given.fingerprint AS fingerprint, dailystory_customers_changes.operation = ? AND 0 = 1 AS opts_out 
FROM dailystory_customers_changes JOIN (SELECT json_extract(anon_3.value, ?) AS sequence, json_extract(anon_3.value, ?) AS reason, json_extract(anon_3.value, ?) AS message, json_extract(anon_3.value, ?) AS fingerprint 
FROM json_each(?) AS anon_3
 LIMIT -1 OFFSET ?) AS given ON dailystory_customers_changes.sequence = given.sequence 
WHERE dailystory_customers_changes.plan_id = ?) AS found 
WHERE NOT (EXISTS (SELECT dailystory_customers_rejections.reason 
FROM dailystory_customers_rejections 
WHERE dailystory_customers_rejections.customer_id = found.customer_id));

INSERT INTO dailystory_customers_rejections (customer_id, reason, message, source_rows, attempts, first_seen_at, last_seen_at) VALUES (NULL, ?, ?, ?, ?, ?, ?);

INSERT INTO dailystory_customers_rejections (customer_id, reason, message, source_rows, first_seen_at, last_seen_at, attempts) SELECT found.customer_id, found.reason, found.message, found.source_rows, ? AS anon_1, ? AS anon__1, ? AS anon_2 
FROM (SELECT dailystory_customers_duplicates.customer_id AS customer_id, ? AS reason, ? AS message, dailystory_customers_duplicates.source_rows AS source_rows 
FROM dailystory_customers_duplicates) AS found 
WHERE NOT (EXISTS (SELECT dailystory_customers_rejections.reason 
FROM dailystory_customers_rejections 
WHERE dailystory_customers_rejections.customer_id = found.customer_id AND dailystory_customers_rejections.reason = found.reason));

INSERT INTO dailystory_customers_rejections (customer_id, reason, message, source_rows, first_seen_at, last_seen_at, attempts) SELECT found.customer_id, found.reason, found.message, found.source_rows, ? AS anon_1, ? AS anon__1, ? AS anon_2 
FROM (SELECT dailystory_customers_pending.customer_id AS customer_id, dailystory_customers_judged.reason AS reason, dailystory_customers_judged.message AS message, CAST(? AS BIGINT) AS source_rows 
FROM dailystory_customers_pending JOIN dailystory_customers_judged ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_judged.reason IS NOT NULL) AS found 
WHERE NOT (EXISTS (SELECT dailystory_customers_rejections.reason 
FROM dailystory_customers_rejections 
WHERE dailystory_customers_rejections.customer_id = found.customer_id AND dailystory_customers_rejections.reason = found.reason));

INSERT INTO dailystory_customers_row_hashes (customer_id, row_hash) SELECT source.customer_id, source.row_hash 
FROM dailystory_customers_staged AS source LEFT OUTER JOIN dailystory_customers_pending ON source.customer_id = dailystory_customers_pending.customer_id LEFT OUTER JOIN dailystory_customers_duplicates ON source.customer_id = dailystory_customers_duplicates.customer_id 
WHERE source.customer_id IS NOT NULL AND dailystory_customers_pending.customer_id IS NULL AND dailystory_customers_duplicates.customer_id IS NULL;

INSERT INTO dailystory_customers_snapshot (customer_id, field_email, "field_firstName", field_city, custom_plan, identity_email, identity_mobile, partition_value, acknowledged_plan, resend_all) SELECT sent.customer_id, sent.field_email, sent."field_firstName", sent.field_city, sent.custom_plan, sent.identity_email, sent.identity_mobile, sent.partition_value, ? AS anon_1, 0 AS anon_2 
FROM (SELECT dailystory_customers_changes.customer_id AS customer_id, dailystory_customers_changes.field_email AS field_email, dailystory_customers_changes.differs_field_email AS differs_field_email, dailystory_customers_changes."field_firstName" AS "field_firstName", dailystory_customers_changes."differs_field_firstName" AS "differs_field_firstName", dailystory_customers_changes.field_city AS field_city, dailystory_customers_changes.differs_field_city AS differs_field_city, dailystory_customers_changes.custom_plan AS custom_plan, dailystory_customers_changes.differs_custom_plan AS differs_custom_plan, dailystory_customers_changes.identity_email AS identity_email, dailystory_customers_changes.identity_mobile AS identity_mobile, dailystory_customers_changes.partition_value AS partition_value, dailystory_customers_changes.dropped_fields AS dropped_fields, dailystory_customers_answers.is_other_contact AS is_other_contact, dailystory_customers_changes.replaces = 1 OR coalesce(dailystory_customers_answers.replaced, 0) = 1 AS replaced 
FROM dailystory_customers_changes JOIN dailystory_customers_answers ON dailystory_customers_answers.sequence = dailystory_customers_changes.sequence 
WHERE dailystory_customers_changes.plan_id = ? AND dailystory_customers_changes.sequence IN (SELECT dailystory_customers_answers.sequence 
FROM dailystory_customers_answers) AND dailystory_customers_answers.outcome IN (?)) AS sent 
WHERE NOT (EXISTS (SELECT dailystory_customers_snapshot.resend_all 
FROM dailystory_customers_snapshot 
WHERE dailystory_customers_snapshot.customer_id = sent.customer_id));

INSERT INTO dailystory_customers_staged VALUES (?);

INSERT INTO dailystory_meta (name, holder, fence, heartbeat_at, run_id, taken_at) VALUES (?);

INSERT INTO dailystory_meta (name, value) VALUES (?);

INSERT INTO dailystory_plans (plan_id, sync_name, partition_value, run_id, scope, options, mapping_version, destination, status, guards, changes_by_field, rejections_by_reason, settings, fields_dropped, new_custom_fields, opt_outs_waiting, number, rows_read, rows_unchanged, rows_to_create, rows_to_update, rows_to_delete, rows_rejected, rows_held, rows_delete_skipped_shared, opt_outs_to_send, opt_outs_pending, opt_outs_ahead, live_keys, whole_source, first_load, diff_seconds, created_at, expires_at) VALUES (?);

INSERT INTO dailystory_runs (run_id, plan_id, sync_name, partition_value, outcome, started_at, finished_at, rows_created, rows_updated, rows_deleted, rows_mapped, rows_refused, rows_failed, rows_in_doubt, rows_conflicted, rows_deleted_in_dailystory, rows_delete_skipped_shared, rows_skipped, rows_delete_waiting, rows_delete_returned, opt_outs_sent, opt_outs_pending, api_requests, api_retries, api_throttled, send_seconds) VALUES (?);

SELECT * 
FROM (
select * from customers
) AS source 
WHERE 0 = 1;

SELECT * 
FROM customers 
WHERE 0 = 1;

SELECT ? AS anon_1 
FROM dailystory_customers_changes 
WHERE dailystory_customers_changes.plan_id = ? AND dailystory_customers_changes.outcome IS NULL AND dailystory_customers_changes.operation = ? OR dailystory_customers_changes.plan_id = ? AND dailystory_customers_changes.outcome IS NULL AND dailystory_customers_changes.operation = ?
 LIMIT ? OFFSET ?;

SELECT ? AS anon_1 
FROM dailystory_customers_changes 
WHERE dailystory_customers_changes.plan_id = ? AND dailystory_customers_changes.rekeyed = 1
 LIMIT ? OFFSET ?;

SELECT ? AS anon_1 
FROM dailystory_customers_present 
WHERE dailystory_customers_present.customer_id IS NULL
 LIMIT ? OFFSET ?;

SELECT ? AS anon_1 
FROM dailystory_customers_rejections
 LIMIT ? OFFSET ?;

SELECT DISTINCT dailystory_customers_present.customer_id 
FROM dailystory_customers_present LEFT OUTER JOIN dailystory_customers_row_hashes ON dailystory_customers_present.customer_id = dailystory_customers_row_hashes.customer_id 
WHERE dailystory_customers_present.customer_id IS NOT NULL AND dailystory_customers_present.row_hash IS NOT dailystory_customers_row_hashes.row_hash
 LIMIT ? OFFSET ?;

SELECT DISTINCT dailystory_plans.sync_name 
FROM dailystory_plans 
WHERE dailystory_plans.sync_name != ? ORDER BY dailystory_plans.sync_name;

SELECT DISTINCT source.customer_id 
FROM (SELECT source.customer_id AS customer_id, nullif(source.email, '') AS field_email, nullif(source.first_name, '') AS "field_firstName", nullif(source.city, '') AS field_city, nullif(source."plan", '') AS custom_plan 
FROM customers AS source) AS source 
WHERE source.customer_id = ? OR source.customer_id = ?;

SELECT DISTINCT source.customer_id 
FROM dailystory_customers_staged AS source 
WHERE source.customer_id = ?;

SELECT coalesce(sum(CASE WHEN dailystory_customers_changes.differs_field_email THEN ? ELSE ? END), ?) AS coalesce_1, coalesce(sum(CASE WHEN dailystory_customers_changes."differs_field_firstName" THEN ? ELSE ? END), ?) AS coalesce_3, coalesce(sum(CASE WHEN dailystory_customers_changes.differs_field_city THEN ? ELSE ? END), ?) AS coalesce_5, coalesce(sum(CASE WHEN dailystory_customers_changes."differs_field_lastName" THEN ? ELSE ? END), ?) AS coalesce_7, coalesce(sum(CASE WHEN dailystory_customers_changes.differs_custom_plan THEN ? ELSE ? END), ?) AS coalesce_9 
FROM dailystory_customers_changes 
WHERE dailystory_customers_changes.plan_id = ? AND dailystory_customers_changes.operation IN (?);

SELECT coalesce(sum(CASE WHEN dailystory_customers_changes.differs_field_email THEN ? ELSE ? END), ?) AS coalesce_1, coalesce(sum(CASE WHEN dailystory_customers_changes."differs_field_firstName" THEN ? ELSE ? END), ?) AS coalesce_3, coalesce(sum(CASE WHEN dailystory_customers_changes.differs_field_city THEN ? ELSE ? END), ?) AS coalesce_5, coalesce(sum(CASE WHEN dailystory_customers_changes.differs_custom_plan THEN ? ELSE ? END), ?) AS coalesce_7 
FROM dailystory_customers_changes 
WHERE dailystory_customers_changes.plan_id = ? AND dailystory_customers_changes.operation IN (?);

SELECT coalesce(sum(CASE WHEN dailystory_customers_pending.departed = 0 THEN ? ELSE ? END), ?) AS coalesce_1, coalesce(sum(CASE WHEN (dailystory_customers_pending.departed = 0 AND dailystory_customers_pending.is_new = 1) THEN ? ELSE ? END), ?) AS coalesce_3, coalesce(sum(CASE WHEN (dailystory_customers_pending.departed = 0 AND dailystory_customers_pending.returns = 1) THEN ? ELSE ? END), ?) AS coalesce_5, coalesce(sum(CASE WHEN (dailystory_customers_pending.departed = 1 AND dailystory_customers_pending.returns = 0) THEN ? ELSE ? END), ?) AS coalesce_7, coalesce(sum(CASE WHEN (dailystory_customers_pending.departed = 1 AND dailystory_customers_pending.returns = 1) THEN ? ELSE ? END), ?) AS coalesce_9 
FROM dailystory_customers_pending;

SELECT coalesce(sum(dailystory_customers_duplicates.source_rows), ?) AS coalesce_1 
FROM dailystory_customers_duplicates;

SELECT count(*) AS count_1 
FROM (SELECT departed.sequence AS sequence, departed.customer_id AS customer_id, CASE WHEN ((EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new = 1 AND dailystory_customers_judged.identity_email = departed.old_email)) OR (EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new = 1 AND dailystory_customers_judged.identity_mobile = departed.old_mobile)) OR (EXISTS (SELECT ? AS anon_1 
FROM dailystory_customers_newcomers 
WHERE dailystory_customers_newcomers.identity_email = departed.old_email)) OR (EXISTS (SELECT ? AS anon_1 
FROM dailystory_customers_newcomers 
WHERE dailystory_customers_newcomers.identity_mobile = departed.old_mobile))) THEN NULL ELSE ? END AS operation, dailystory_customers_contact_map.dsid AS dsid, CASE WHEN ((EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new = 1 AND dailystory_customers_judged.identity_email = departed.old_email)) OR (EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new = 1 AND dailystory_customers_judged.identity_mobile = departed.old_mobile)) OR (EXISTS (SELECT ? AS anon_1 
FROM dailystory_customers_newcomers 
WHERE dailystory_customers_newcomers.identity_email = departed.old_email)) OR (EXISTS (SELECT ? AS anon_1 
FROM dailystory_customers_newcomers 
WHERE dailystory_customers_newcomers.identity_mobile = departed.old_mobile))) THEN NULL ELSE ? END AS reason, CASE WHEN ((EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new = 1 AND dailystory_customers_judged.identity_email = departed.old_email)) OR (EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new = 1 AND dailystory_customers_judged.identity_mobile = departed.old_mobile)) OR (EXISTS (SELECT ? AS anon_1 
FROM dailystory_customers_newcomers 
WHERE dailystory_customers_newcomers.identity_email = departed.old_email)) OR (EXISTS (SELECT ? AS anon_1 
FROM dailystory_customers_newcomers 
WHERE dailystory_customers_newcomers.identity_mobile = departed.old_mobile))) THEN NULL ELSE ? END AS message 
FROM (SELECT dailystory_customers_pending.sequence AS sequence, dailystory_customers_pending.customer_id AS customer_id, dailystory_customers_pending.field_email AS field_email, dailystory_customers_pending."field_firstName" AS "field_firstName", dailystory_customers_pending.field_city AS field_city, dailystory_customers_pending.custom_plan AS custom_plan, dailystory_customers_pending.differs_field_email AS differs_field_email, dailystory_customers_pending."differs_field_firstName" AS "differs_field_firstName", dailystory_customers_pending.differs_field_city AS differs_field_city, dailystory_customers_pending.differs_custom_plan AS differs_custom_plan, dailystory_customers_pending.is_new AS is_new, dailystory_customers_pending.replaces AS replaces, dailystory_customers_pending.departed AS departed, dailystory_customers_pending.returns AS returns, dailystory_customers_pending.old_email AS old_email, dailystory_customers_pending.old_mobile AS old_mobile 
FROM dailystory_customers_pending 
WHERE dailystory_customers_pending.departed = 1) AS departed JOIN dailystory_customers_contact_map ON dailystory_customers_contact_map.customer_id = departed.customer_id) AS departures 
WHERE departures.operation = ?;

SELECT count(*) AS count_1 
FROM (SELECT departed.sequence AS sequence, departed.customer_id AS customer_id, CASE WHEN ((EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new = 1 AND dailystory_customers_judged.identity_email = departed.old_email)) OR (EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new = 1 AND dailystory_customers_judged.identity_mobile = departed.old_mobile))) THEN NULL ELSE ? END AS operation, dailystory_customers_contact_map.dsid AS dsid, CASE WHEN ((EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new = 1 AND dailystory_customers_judged.identity_email = departed.old_email)) OR (EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new = 1 AND dailystory_customers_judged.identity_mobile = departed.old_mobile))) THEN NULL ELSE ? END AS reason, CASE WHEN ((EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new = 1 AND dailystory_customers_judged.identity_email = departed.old_email)) OR (EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new = 1 AND dailystory_customers_judged.identity_mobile = departed.old_mobile))) THEN NULL ELSE ? END AS message 
FROM (SELECT dailystory_customers_pending.sequence AS sequence, dailystory_customers_pending.customer_id AS customer_id, dailystory_customers_pending.field_email AS field_email, dailystory_customers_pending."field_firstName" AS "field_firstName", dailystory_customers_pending.field_city AS field_city, dailystory_customers_pending."field_lastName" AS "field_lastName", dailystory_customers_pending.custom_plan AS custom_plan, dailystory_customers_pending.differs_field_email AS differs_field_email, dailystory_customers_pending."differs_field_firstName" AS "differs_field_firstName", dailystory_customers_pending.differs_field_city AS differs_field_city, dailystory_customers_pending."differs_field_lastName" AS "differs_field_lastName", dailystory_customers_pending.differs_custom_plan AS differs_custom_plan, dailystory_customers_pending.is_new AS is_new, dailystory_customers_pending.replaces AS replaces, dailystory_customers_pending.departed AS departed, dailystory_customers_pending.returns AS returns, dailystory_customers_pending.old_email AS old_email, dailystory_customers_pending.old_mobile AS old_mobile 
FROM dailystory_customers_pending 
WHERE dailystory_customers_pending.departed = 1) AS departed JOIN dailystory_customers_contact_map ON dailystory_customers_contact_map.customer_id = departed.customer_id) AS departures 
WHERE departures.operation = ?;

SELECT count(*) AS count_1 
FROM (SELECT departed.sequence AS sequence, departed.customer_id AS customer_id, CASE WHEN ((EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new = 1 AND dailystory_customers_judged.identity_email = departed.old_email)) OR (EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new = 1 AND dailystory_customers_judged.identity_mobile = departed.old_mobile))) THEN NULL ELSE ? END AS operation, dailystory_customers_contact_map.dsid AS dsid, CASE WHEN ((EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new = 1 AND dailystory_customers_judged.identity_email = departed.old_email)) OR (EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new = 1 AND dailystory_customers_judged.identity_mobile = departed.old_mobile))) THEN NULL ELSE ? END AS reason, CASE WHEN ((EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new = 1 AND dailystory_customers_judged.identity_email = departed.old_email)) OR (EXISTS (SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_pending.is_new = 1 AND dailystory_customers_judged.identity_mobile = departed.old_mobile))) THEN NULL ELSE ? END AS message 
FROM (SELECT dailystory_customers_pending.sequence AS sequence, dailystory_customers_pending.customer_id AS customer_id, dailystory_customers_pending.field_email AS field_email, dailystory_customers_pending."field_firstName" AS "field_firstName", dailystory_customers_pending.field_city AS field_city, dailystory_customers_pending.custom_plan AS custom_plan, dailystory_customers_pending.differs_field_email AS differs_field_email, dailystory_customers_pending."differs_field_firstName" AS "differs_field_firstName", dailystory_customers_pending.differs_field_city AS differs_field_city, dailystory_customers_pending.differs_custom_plan AS differs_custom_plan, dailystory_customers_pending.is_new AS is_new, dailystory_customers_pending.replaces AS replaces, dailystory_customers_pending.departed AS departed, dailystory_customers_pending.returns AS returns, dailystory_customers_pending.old_email AS old_email, dailystory_customers_pending.old_mobile AS old_mobile 
FROM dailystory_customers_pending 
WHERE dailystory_customers_pending.departed = 1) AS departed JOIN dailystory_customers_contact_map ON dailystory_customers_contact_map.customer_id = departed.customer_id) AS departures 
WHERE departures.operation = ?;

SELECT count(*) AS count_1 
FROM dailystory_customers_changes 
WHERE dailystory_customers_changes.plan_id = ? AND dailystory_customers_changes.operation IN (?);

SELECT count(*) AS count_1 
FROM dailystory_customers_changes 
WHERE dailystory_customers_changes.plan_id = ? AND dailystory_customers_changes.operation IN (?) AND dailystory_customers_changes.outcome IS NOT NULL;

SELECT count(*) AS count_1 
FROM dailystory_customers_changes 
WHERE dailystory_customers_changes.plan_id = ? AND dailystory_customers_changes.outcome IS NULL AND dailystory_customers_changes.operation IN (?) AND (dailystory_customers_changes.is_new = 1 OR dailystory_customers_changes.identity_changed = 1) AND coalesce(dailystory_customers_changes.rekeyed, 0) = 0 AND dailystory_customers_changes.waits_for IS NULL AND ((EXISTS (SELECT * 
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
WHERE dailystory_customers_changes.plan_id = ? AND dailystory_customers_changes.outcome IS NULL AND dailystory_customers_changes.operation IN (?) AND dailystory_customers_changes.priority = ? AND (EXISTS (SELECT "before".sequence 
FROM dailystory_customers_changes AS "before" 
WHERE "before".plan_id = ? AND "before".sequence = dailystory_customers_changes.waits_for AND (coalesce("before".outcome, ?) NOT IN (?))));

SELECT count(*) AS count_1 
FROM dailystory_customers_changes 
WHERE dailystory_customers_changes.plan_id = ? AND dailystory_customers_changes.priority = ? AND dailystory_customers_changes.operation IN (?);

SELECT count(*) AS count_1 
FROM dailystory_customers_changes 
WHERE dailystory_customers_changes.plan_id = ? AND dailystory_customers_changes.reason = ?;

SELECT count(*) AS count_1 
FROM dailystory_customers_present;

SELECT count(*) AS count_1 
FROM dailystory_customers_snapshot 
WHERE dailystory_customers_snapshot.absent_since IS NULL;

SELECT count(*) AS count_1 
FROM dailystory_customers_staged AS source;

SELECT count(*) AS count_1, coalesce(sum(CASE WHEN (dailystory_customers_snapshot.absent_since IS NOT NULL) THEN ? ELSE ? END), ?) AS coalesce_1, coalesce(sum(CASE WHEN (dailystory_customers_snapshot.absent_since IS NULL AND CAST(coalesce(dailystory_hash(CAST(dailystory_customers_snapshot.customer_id AS TEXT)) % 2, ?) AS BIGINT) = ?) THEN ? ELSE ? END), ?) AS coalesce_3 
FROM dailystory_customers_snapshot;

SELECT count(*) AS count_1, coalesce(sum(CASE WHEN (dailystory_customers_snapshot.absent_since IS NOT NULL) THEN ? ELSE ? END), ?) AS coalesce_1, coalesce(sum(CASE WHEN (dailystory_customers_snapshot.absent_since IS NULL) THEN ? ELSE ? END), ?) AS coalesce_3 
FROM dailystory_customers_snapshot;

SELECT count(*) AS count_1, count(dailystory_customers_present.customer_id) AS count_2 
FROM dailystory_customers_present 
WHERE 1 = 1;

SELECT count(*) AS count_1, count(source.customer_id) AS count_2 
FROM (SELECT source.customer_id AS customer_id, nullif(source.email, '') AS field_email, nullif(source.first_name, '') AS "field_firstName", nullif(source.city, '') AS field_city, nullif(source."plan", '') AS custom_plan 
FROM customers AS source) AS source 
WHERE 1 = 1;

SELECT count(*) AS count_1, count(source.customer_id) AS count_2 
FROM (SELECT source.customer_id AS customer_id, nullif(source.email, '') AS field_email, nullif(source.first_name, '') AS "field_firstName", nullif(source.city, '') AS field_city, nullif(source."plan", '') AS custom_plan 
FROM customers AS source) AS source 
WHERE CAST(coalesce(dailystory_hash(CAST(source.customer_id AS TEXT)) % 2, ?) AS BIGINT) = ?;

SELECT count(*) AS count_1, count(source.customer_id) AS count_2 
FROM (SELECT source.customer_id AS customer_id, nullif(source.email, '') AS field_email, nullif(source.first_name, '') AS "field_firstName", nullif(source.city, '') AS field_city, nullif(source."plan", '') AS custom_plan 
FROM customers AS source) AS source 
WHERE EXISTS (SELECT * 
FROM dailystory_customers_rejections 
WHERE dailystory_customers_rejections.customer_id = source.customer_id);

SELECT count(*) AS count_1, count(source.customer_id) AS count_2 
FROM (SELECT source.customer_id AS customer_id, nullif(source.email, '') AS field_email, nullif(source.first_name, '') AS "field_firstName", nullif(source.city, '') AS field_city, nullif(source."plan", '') AS custom_plan 
FROM customers AS source) AS source 
WHERE source.customer_id = ? OR source.customer_id = ?;

SELECT count(*) AS count_1, count(source.customer_id) AS count_2 
FROM (SELECT source.customer_id AS customer_id, nullif(source.email, '') AS field_email, nullif(source.first_name, '') AS "field_firstName", nullif(source.city, '') AS field_city, nullif(source."plan", '') AS custom_plan 
FROM dailystory_customers_staged AS source) AS source 
WHERE 1 = 1;

SELECT count(*) AS count_1, count(source.customer_id) AS count_2 
FROM (SELECT source.customer_id AS customer_id, nullif(source.email, '') AS field_email, nullif(source.first_name, '') AS "field_firstName", nullif(source.level, '') AS field_city, nullif(source."plan", '') AS "field_lastName", nullif(source."plan", '') AS custom_plan 
FROM customers AS source) AS source 
WHERE 1 = 1;

SELECT count(*) AS count_1, count(source.customer_id) AS count_2 
FROM dailystory_customers_staged AS source 
WHERE 1 = 1;

SELECT count(*) AS count_1, count(source.customer_id) AS count_2 
FROM dailystory_customers_staged AS source 
WHERE CAST(coalesce(dailystory_hash(CAST(source.customer_id AS TEXT)) % 2, ?) AS BIGINT) = ?;

SELECT count(*) AS count_1, count(source.customer_id) AS count_2 
FROM dailystory_customers_staged AS source 
WHERE EXISTS (SELECT * 
FROM dailystory_customers_rejections 
WHERE dailystory_customers_rejections.customer_id = source.customer_id);

SELECT count(*) AS count_1, count(source.customer_id) AS count_2 
FROM dailystory_customers_staged AS source 
WHERE source.customer_id = ?;

SELECT dailystory_customers_changes.customer_id 
FROM dailystory_customers_changes 
WHERE dailystory_customers_changes.plan_id = ? AND dailystory_customers_changes.sequence IN (?);

SELECT dailystory_customers_changes.operation, count(*) AS count_1 
FROM dailystory_customers_changes 
WHERE dailystory_customers_changes.plan_id = ? GROUP BY dailystory_customers_changes.operation;

SELECT dailystory_customers_changes.priority, count(*) AS count_1 
FROM dailystory_customers_changes 
WHERE dailystory_customers_changes.plan_id = ? AND dailystory_customers_changes.outcome IS NULL AND dailystory_customers_changes.operation IN (?) GROUP BY dailystory_customers_changes.priority;

SELECT dailystory_customers_changes.sequence 
FROM dailystory_customers_changes 
WHERE dailystory_customers_changes.plan_id = ? AND dailystory_customers_changes.rekeyed = 1
 LIMIT ? OFFSET ?;

SELECT dailystory_customers_changes.sequence, coalesce(dailystory_customers_snapshot.identity_email = dailystory_customers_changes.identity_email OR dailystory_customers_snapshot.identity_mobile = dailystory_customers_changes.identity_mobile, ?) AS is_same, dailystory_customers_contact_map.customer_id 
FROM dailystory_customers_changes JOIN dailystory_customers_contact_map ON dailystory_customers_contact_map.dsid = dailystory_customers_changes.dsid JOIN dailystory_customers_snapshot ON dailystory_customers_snapshot.customer_id = dailystory_customers_contact_map.customer_id 
WHERE dailystory_customers_changes.plan_id = ? AND dailystory_customers_changes.sequence IN (?) AND dailystory_customers_contact_map.customer_id != dailystory_customers_changes.customer_id;

SELECT dailystory_customers_changes.sequence, dailystory_customers_changes.customer_id 
FROM dailystory_customers_changes 
WHERE dailystory_customers_changes.plan_id = ? AND dailystory_customers_changes.sequence IN (?);

SELECT dailystory_customers_changes.sequence, dailystory_customers_changes.customer_id, dailystory_customers_changes.field_email, dailystory_customers_changes."field_firstName", dailystory_customers_changes.field_city, coalesce(dailystory_customers_changes.custom_plan, dailystory_customers_snapshot.custom_plan) AS custom_plan, dailystory_customers_changes.differs_field_email, dailystory_customers_changes."differs_field_firstName", dailystory_customers_changes.differs_field_city, dailystory_customers_changes.differs_custom_plan, dailystory_customers_changes.is_new, dailystory_customers_changes.replaces, dailystory_customers_changes.operation AS operation, dailystory_customers_changes.dsid AS planned_dsid, dailystory_customers_changes.reactivates AS reactivates, dailystory_customers_changes.rekeyed AS rekeyed, dailystory_customers_changes.dropped_fields AS dropped_fields, dailystory_customers_snapshot.identity_email AS old_email, dailystory_customers_snapshot.identity_mobile AS old_mobile, dailystory_customers_changes.identity_email AS new_email, dailystory_customers_changes.identity_mobile AS new_mobile, coalesce(dailystory_customers_changes.absent_action, dailystory_customers_snapshot.absent_action) AS absent_action, dailystory_customers_contact_map.dsid AS mapped_dsid, dailystory_customers_contact_map.deleted_in_dailystory_at IS NOT NULL OR coalesce(dailystory_customers_changes.deleted_in_dailystory, 0) = 1 OR 0 = 1 AS deleted_in_dailystory, dailystory_customers_intents.sent_at AS intent_at, dailystory_customers_intents.email_as_sent, dailystory_customers_intents.mobile_as_sent 
FROM dailystory_customers_changes LEFT OUTER JOIN dailystory_customers_snapshot ON dailystory_customers_changes.customer_id = dailystory_customers_snapshot.customer_id LEFT OUTER JOIN dailystory_customers_contact_map ON dailystory_customers_changes.customer_id = dailystory_customers_contact_map.customer_id LEFT OUTER JOIN dailystory_customers_intents ON dailystory_customers_changes.customer_id = dailystory_customers_intents.customer_id 
WHERE dailystory_customers_changes.plan_id = ? AND dailystory_customers_changes.outcome IS NULL AND dailystory_customers_changes.operation IN (?) AND dailystory_customers_changes.priority = ? AND dailystory_customers_changes.sequence BETWEEN ? AND ? ORDER BY dailystory_customers_changes.sequence;

SELECT dailystory_customers_changes.sequence, dailystory_customers_changes.customer_id, dailystory_customers_changes.field_email, dailystory_customers_changes."field_firstName", dailystory_customers_changes.field_city, dailystory_customers_changes."field_lastName", coalesce(dailystory_customers_changes.custom_plan, dailystory_customers_snapshot.custom_plan) AS custom_plan, dailystory_customers_changes.differs_field_email, dailystory_customers_changes."differs_field_firstName", dailystory_customers_changes.differs_field_city, dailystory_customers_changes."differs_field_lastName", dailystory_customers_changes.differs_custom_plan, dailystory_customers_changes.is_new, dailystory_customers_changes.replaces, dailystory_customers_changes.operation AS operation, dailystory_customers_changes.dsid AS planned_dsid, dailystory_customers_changes.reactivates AS reactivates, dailystory_customers_changes.rekeyed AS rekeyed, dailystory_customers_changes.dropped_fields AS dropped_fields, dailystory_customers_snapshot.identity_email AS old_email, dailystory_customers_snapshot.identity_mobile AS old_mobile, dailystory_customers_changes.identity_email AS new_email, dailystory_customers_changes.identity_mobile AS new_mobile, coalesce(dailystory_customers_changes.absent_action, dailystory_customers_snapshot.absent_action) AS absent_action, dailystory_customers_contact_map.dsid AS mapped_dsid, dailystory_customers_contact_map.deleted_in_dailystory_at IS NOT NULL OR coalesce(dailystory_customers_changes.deleted_in_dailystory, 0) = 1 OR 0 = 1 AS deleted_in_dailystory, dailystory_customers_intents.sent_at AS intent_at, dailystory_customers_intents.email_as_sent, dailystory_customers_intents.mobile_as_sent 
FROM dailystory_customers_changes LEFT OUTER JOIN dailystory_customers_snapshot ON dailystory_customers_changes.customer_id = dailystory_customers_snapshot.customer_id LEFT OUTER JOIN dailystory_customers_contact_map ON dailystory_customers_changes.customer_id = dailystory_customers_contact_map.customer_id LEFT OUTER JOIN dailystory_customers_intents ON dailystory_customers_changes.customer_id = dailystory_customers_intents.customer_id 
WHERE dailystory_customers_changes.plan_id = ? AND dailystory_customers_changes.outcome IS NULL AND dailystory_customers_changes.operation IN (?) AND dailystory_customers_changes.priority = ? AND dailystory_customers_changes.sequence BETWEEN ? AND ? ORDER BY dailystory_customers_changes.sequence;

SELECT dailystory_customers_changes.sequence, dailystory_customers_snapshot.customer_id, dailystory_customers_snapshot.field_email, dailystory_customers_snapshot."field_firstName", dailystory_customers_snapshot.field_city, dailystory_customers_snapshot.custom_plan, dailystory_customers_snapshot.identity_email, dailystory_customers_snapshot.identity_mobile, dailystory_customers_snapshot.partition_value, dailystory_customers_snapshot.resend_all, dailystory_customers_snapshot.unknown_fields, dailystory_customers_snapshot.absent_since, dailystory_customers_snapshot.absent_action, dailystory_customers_snapshot.acknowledged_plan, dailystory_customers_snapshot.only_mapped 
FROM dailystory_customers_changes JOIN dailystory_customers_snapshot ON dailystory_customers_snapshot.customer_id = dailystory_customers_changes.customer_id 
WHERE dailystory_customers_changes.plan_id = ? AND dailystory_customers_changes.sequence IN (?);

SELECT dailystory_customers_contact_map.dsid 
FROM dailystory_customers_contact_map JOIN (SELECT json_extract(anon_1.value, ?) AS dsid 
FROM json_each(?) AS anon_1
 LIMIT -1 OFFSET ?) AS given ON dailystory_customers_contact_map.dsid = given.dsid JOIN dailystory_customers_snapshot ON dailystory_customers_snapshot.customer_id = dailystory_customers_contact_map.customer_id 
WHERE dailystory_customers_contact_map.deleted_at IS NULL AND dailystory_customers_snapshot.absent_since IS NULL;

SELECT dailystory_customers_contact_map.dsid 
FROM dailystory_customers_contact_map JOIN (SELECT json_extract(anon_1.value, ?) AS dsid 
FROM json_each(?) AS anon_1
 LIMIT -1 OFFSET ?) AS given ON dailystory_customers_contact_map.dsid = given.dsid JOIN dailystory_customers_snapshot ON dailystory_customers_snapshot.customer_id = dailystory_customers_contact_map.customer_id 
WHERE dailystory_customers_contact_map.deleted_at IS NULL AND dailystory_customers_snapshot.absent_since IS NULL AND NOT (EXISTS (SELECT dailystory_customers_changes.sequence 
FROM dailystory_customers_changes 
WHERE dailystory_customers_changes.plan_id = ? AND dailystory_customers_changes.operation = ? AND dailystory_customers_changes.customer_id = dailystory_customers_contact_map.customer_id));

SELECT dailystory_customers_intents.customer_id, dailystory_customers_intents.email_as_sent, dailystory_customers_intents.mobile_as_sent, dailystory_customers_intents.dsid, dailystory_customers_intents.plan_id, dailystory_customers_intents.sequence, dailystory_customers_intents.sent_at 
FROM dailystory_customers_intents;

SELECT dailystory_customers_judged.reason, count(*) AS count_1 
FROM dailystory_customers_judged 
WHERE dailystory_customers_judged.reason IS NOT NULL GROUP BY dailystory_customers_judged.reason;

SELECT dailystory_customers_judged.sequence 
FROM dailystory_customers_judged 
WHERE dailystory_customers_judged.reason IS NULL AND dailystory_customers_judged.held = 0 AND (dailystory_customers_judged.operation = ? OR dailystory_customers_judged.identity_changed = 1)
 LIMIT ? OFFSET ?;

SELECT dailystory_customers_judged.sequence, dailystory_customers_judged.identity_email AS identity, dailystory_customers_pending.customer_id 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_judged.reason IS NULL AND dailystory_customers_judged.held = 0 AND (dailystory_customers_judged.operation = ? OR dailystory_customers_judged.identity_changed = 1) AND dailystory_customers_judged.identity_email IN (SELECT dailystory_customers_judged.identity_email 
FROM dailystory_customers_judged 
WHERE dailystory_customers_judged.reason IS NULL AND dailystory_customers_judged.held = 0 AND (dailystory_customers_judged.operation = ? OR dailystory_customers_judged.identity_changed = 1) AND dailystory_customers_judged.identity_email IS NOT NULL GROUP BY dailystory_customers_judged.identity_email 
HAVING count(*) > ?) ORDER BY dailystory_customers_judged.identity_email, dailystory_customers_judged.sequence;

SELECT dailystory_customers_judged.sequence, dailystory_customers_judged.identity_mobile AS identity, dailystory_customers_pending.customer_id 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_judged.reason IS NULL AND dailystory_customers_judged.held = 0 AND (dailystory_customers_judged.operation = ? OR dailystory_customers_judged.identity_changed = 1) AND dailystory_customers_judged.identity_mobile IN (SELECT dailystory_customers_judged.identity_mobile 
FROM dailystory_customers_judged 
WHERE dailystory_customers_judged.reason IS NULL AND dailystory_customers_judged.held = 0 AND (dailystory_customers_judged.operation = ? OR dailystory_customers_judged.identity_changed = 1) AND dailystory_customers_judged.identity_mobile IS NOT NULL GROUP BY dailystory_customers_judged.identity_mobile 
HAVING count(*) > ?) ORDER BY dailystory_customers_judged.identity_mobile, dailystory_customers_judged.sequence;

SELECT dailystory_customers_judged.sequence, dailystory_customers_judged.operation, dailystory_customers_pending.customer_id, dailystory_customers_snapshot.customer_id AS other_key_0, NOT (EXISTS (SELECT * 
FROM (SELECT source.customer_id AS customer_id, nullif(source.email, '') AS field_email, nullif(source.first_name, '') AS "field_firstName", nullif(source.city, '') AS field_city, nullif(source."plan", '') AS custom_plan 
FROM customers AS source) AS source 
WHERE dailystory_customers_snapshot.customer_id = source.customer_id)) AS leaves, dailystory_customers_contact_map.dsid AS other_dsid, coalesce(dailystory_customers_contact_map.deleted_at, dailystory_customers_contact_map.deactivated_at) AS taken_out_at, dailystory_customers_contact_map.deleted_in_dailystory_at IS NOT NULL AS deleted_in_dailystory, dailystory_customers_snapshot.absent_action, other_row.sequence AS other_sequence, other_row.reason IS NULL AND other_row.held = 0 AND other_row.identity_email IS NOT NULL AND other_row.identity_email != dailystory_customers_judged.identity_email AS other_moves 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence JOIN dailystory_customers_snapshot ON dailystory_customers_snapshot.identity_email = dailystory_customers_judged.identity_email JOIN dailystory_customers_contact_map ON dailystory_customers_snapshot.customer_id = dailystory_customers_contact_map.customer_id LEFT OUTER JOIN (SELECT other.sequence AS sequence, other.operation AS operation, other.identity_email AS identity_email, other.identity_mobile AS identity_mobile, other.identity_changed AS identity_changed, other.reason AS reason, other.message AS message, other.held AS held, other.rekeyed AS rekeyed, other.reactivates AS reactivates, other.absent_action AS absent_action, other.deleted_in_dailystory AS deleted_in_dailystory, other.dsid AS dsid, other.waits_for AS waits_for, other.priority AS priority, other.dropped_fields AS dropped_fields, other_pending.customer_id AS customer_id 
FROM dailystory_customers_judged AS other JOIN dailystory_customers_pending AS other_pending ON other.sequence = other_pending.sequence) AS other_row ON dailystory_customers_snapshot.customer_id = other_row.customer_id 
WHERE dailystory_customers_judged.reason IS NULL AND dailystory_customers_judged.held = 0 AND (dailystory_customers_judged.operation = ? OR dailystory_customers_judged.identity_changed = 1) ORDER BY dailystory_customers_judged.sequence, dailystory_customers_contact_map.deleted_at IS NOT NULL, dailystory_customers_contact_map.dsid;

SELECT dailystory_customers_judged.sequence, dailystory_customers_judged.operation, dailystory_customers_pending.customer_id, dailystory_customers_snapshot.customer_id AS other_key_0, NOT (EXISTS (SELECT * 
FROM (SELECT source.customer_id AS customer_id, nullif(source.email, '') AS field_email, nullif(source.first_name, '') AS "field_firstName", nullif(source.city, '') AS field_city, nullif(source."plan", '') AS custom_plan 
FROM customers AS source) AS source 
WHERE dailystory_customers_snapshot.customer_id = source.customer_id)) AS leaves, dailystory_customers_contact_map.dsid AS other_dsid, coalesce(dailystory_customers_contact_map.deleted_at, dailystory_customers_contact_map.deactivated_at) AS taken_out_at, dailystory_customers_contact_map.deleted_in_dailystory_at IS NOT NULL AS deleted_in_dailystory, dailystory_customers_snapshot.absent_action, other_row.sequence AS other_sequence, other_row.reason IS NULL AND other_row.held = 0 AND other_row.identity_mobile IS NOT NULL AND other_row.identity_mobile != dailystory_customers_judged.identity_mobile AS other_moves 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence JOIN dailystory_customers_snapshot ON dailystory_customers_snapshot.identity_mobile = dailystory_customers_judged.identity_mobile JOIN dailystory_customers_contact_map ON dailystory_customers_snapshot.customer_id = dailystory_customers_contact_map.customer_id LEFT OUTER JOIN (SELECT other.sequence AS sequence, other.operation AS operation, other.identity_email AS identity_email, other.identity_mobile AS identity_mobile, other.identity_changed AS identity_changed, other.reason AS reason, other.message AS message, other.held AS held, other.rekeyed AS rekeyed, other.reactivates AS reactivates, other.absent_action AS absent_action, other.deleted_in_dailystory AS deleted_in_dailystory, other.dsid AS dsid, other.waits_for AS waits_for, other.priority AS priority, other.dropped_fields AS dropped_fields, other_pending.customer_id AS customer_id 
FROM dailystory_customers_judged AS other JOIN dailystory_customers_pending AS other_pending ON other.sequence = other_pending.sequence) AS other_row ON dailystory_customers_snapshot.customer_id = other_row.customer_id 
WHERE dailystory_customers_judged.reason IS NULL AND dailystory_customers_judged.held = 0 AND (dailystory_customers_judged.operation = ? OR dailystory_customers_judged.identity_changed = 1) ORDER BY dailystory_customers_judged.sequence, dailystory_customers_contact_map.deleted_at IS NOT NULL, dailystory_customers_contact_map.dsid;

SELECT dailystory_customers_judged.sequence, dailystory_customers_judged.operation, dailystory_customers_pending.customer_id, dailystory_customers_snapshot.customer_id AS other_key_0, NOT (EXISTS (SELECT * 
FROM (SELECT source.customer_id AS customer_id, nullif(source.email, '') AS field_email, nullif(source.first_name, '') AS "field_firstName", nullif(source.city, '') AS field_city, nullif(source."plan", '') AS custom_plan 
FROM dailystory_customers_staged AS source) AS source 
WHERE dailystory_customers_snapshot.customer_id = source.customer_id)) AS leaves, dailystory_customers_contact_map.dsid AS other_dsid, coalesce(dailystory_customers_contact_map.deleted_at, dailystory_customers_contact_map.deactivated_at) AS taken_out_at, dailystory_customers_contact_map.deleted_in_dailystory_at IS NOT NULL AS deleted_in_dailystory, dailystory_customers_snapshot.absent_action, other_row.sequence AS other_sequence, other_row.reason IS NULL AND other_row.held = 0 AND other_row.identity_email IS NOT NULL AND other_row.identity_email != dailystory_customers_judged.identity_email AS other_moves 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence JOIN dailystory_customers_snapshot ON dailystory_customers_snapshot.identity_email = dailystory_customers_judged.identity_email JOIN dailystory_customers_contact_map ON dailystory_customers_snapshot.customer_id = dailystory_customers_contact_map.customer_id LEFT OUTER JOIN (SELECT other.sequence AS sequence, other.operation AS operation, other.identity_email AS identity_email, other.identity_mobile AS identity_mobile, other.identity_changed AS identity_changed, other.reason AS reason, other.message AS message, other.held AS held, other.rekeyed AS rekeyed, other.reactivates AS reactivates, other.absent_action AS absent_action, other.deleted_in_dailystory AS deleted_in_dailystory, other.dsid AS dsid, other.waits_for AS waits_for, other.priority AS priority, other.dropped_fields AS dropped_fields, other_pending.customer_id AS customer_id 
FROM dailystory_customers_judged AS other JOIN dailystory_customers_pending AS other_pending ON other.sequence = other_pending.sequence) AS other_row ON dailystory_customers_snapshot.customer_id = other_row.customer_id 
WHERE dailystory_customers_judged.reason IS NULL AND dailystory_customers_judged.held = 0 AND (dailystory_customers_judged.operation = ? OR dailystory_customers_judged.identity_changed = 1) ORDER BY dailystory_customers_judged.sequence, dailystory_customers_contact_map.deleted_at IS NOT NULL, dailystory_customers_contact_map.dsid;

SELECT dailystory_customers_judged.sequence, dailystory_customers_judged.operation, dailystory_customers_pending.customer_id, dailystory_customers_snapshot.customer_id AS other_key_0, NOT (EXISTS (SELECT * 
FROM (SELECT source.customer_id AS customer_id, nullif(source.email, '') AS field_email, nullif(source.first_name, '') AS "field_firstName", nullif(source.city, '') AS field_city, nullif(source."plan", '') AS custom_plan 
FROM dailystory_customers_staged AS source) AS source 
WHERE dailystory_customers_snapshot.customer_id = source.customer_id)) AS leaves, dailystory_customers_contact_map.dsid AS other_dsid, coalesce(dailystory_customers_contact_map.deleted_at, dailystory_customers_contact_map.deactivated_at) AS taken_out_at, dailystory_customers_contact_map.deleted_in_dailystory_at IS NOT NULL AS deleted_in_dailystory, dailystory_customers_snapshot.absent_action, other_row.sequence AS other_sequence, other_row.reason IS NULL AND other_row.held = 0 AND other_row.identity_mobile IS NOT NULL AND other_row.identity_mobile != dailystory_customers_judged.identity_mobile AS other_moves 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence JOIN dailystory_customers_snapshot ON dailystory_customers_snapshot.identity_mobile = dailystory_customers_judged.identity_mobile JOIN dailystory_customers_contact_map ON dailystory_customers_snapshot.customer_id = dailystory_customers_contact_map.customer_id LEFT OUTER JOIN (SELECT other.sequence AS sequence, other.operation AS operation, other.identity_email AS identity_email, other.identity_mobile AS identity_mobile, other.identity_changed AS identity_changed, other.reason AS reason, other.message AS message, other.held AS held, other.rekeyed AS rekeyed, other.reactivates AS reactivates, other.absent_action AS absent_action, other.deleted_in_dailystory AS deleted_in_dailystory, other.dsid AS dsid, other.waits_for AS waits_for, other.priority AS priority, other.dropped_fields AS dropped_fields, other_pending.customer_id AS customer_id 
FROM dailystory_customers_judged AS other JOIN dailystory_customers_pending AS other_pending ON other.sequence = other_pending.sequence) AS other_row ON dailystory_customers_snapshot.customer_id = other_row.customer_id 
WHERE dailystory_customers_judged.reason IS NULL AND dailystory_customers_judged.held = 0 AND (dailystory_customers_judged.operation = ? OR dailystory_customers_judged.identity_changed = 1) ORDER BY dailystory_customers_judged.sequence, dailystory_customers_contact_map.deleted_at IS NOT NULL, dailystory_customers_contact_map.dsid;

SELECT dailystory_customers_judged.sequence, dailystory_customers_judged.operation, dailystory_customers_pending.customer_id, dailystory_customers_snapshot.customer_id AS other_key_0, NOT (EXISTS (SELECT * 
FROM (SELECT source.customer_id AS customer_id, nullif(source.email, '') AS field_email, nullif(source.first_name, '') AS "field_firstName", nullif(source.level, '') AS field_city, nullif(source."plan", '') AS "field_lastName", nullif(source."plan", '') AS custom_plan 
FROM customers AS source) AS source 
WHERE dailystory_customers_snapshot.customer_id = source.customer_id)) AS leaves, dailystory_customers_contact_map.dsid AS other_dsid, coalesce(dailystory_customers_contact_map.deleted_at, dailystory_customers_contact_map.deactivated_at) AS taken_out_at, dailystory_customers_contact_map.deleted_in_dailystory_at IS NOT NULL AS deleted_in_dailystory, dailystory_customers_snapshot.absent_action, other_row.sequence AS other_sequence, other_row.reason IS NULL AND other_row.held = 0 AND other_row.identity_email IS NOT NULL AND other_row.identity_email != dailystory_customers_judged.identity_email AS other_moves 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence JOIN dailystory_customers_snapshot ON dailystory_customers_snapshot.identity_email = dailystory_customers_judged.identity_email JOIN dailystory_customers_contact_map ON dailystory_customers_snapshot.customer_id = dailystory_customers_contact_map.customer_id LEFT OUTER JOIN (SELECT other.sequence AS sequence, other.operation AS operation, other.identity_email AS identity_email, other.identity_mobile AS identity_mobile, other.identity_changed AS identity_changed, other.reason AS reason, other.message AS message, other.held AS held, other.rekeyed AS rekeyed, other.reactivates AS reactivates, other.absent_action AS absent_action, other.deleted_in_dailystory AS deleted_in_dailystory, other.dsid AS dsid, other.waits_for AS waits_for, other.priority AS priority, other.dropped_fields AS dropped_fields, other_pending.customer_id AS customer_id 
FROM dailystory_customers_judged AS other JOIN dailystory_customers_pending AS other_pending ON other.sequence = other_pending.sequence) AS other_row ON dailystory_customers_snapshot.customer_id = other_row.customer_id 
WHERE dailystory_customers_judged.reason IS NULL AND dailystory_customers_judged.held = 0 AND (dailystory_customers_judged.operation = ? OR dailystory_customers_judged.identity_changed = 1) ORDER BY dailystory_customers_judged.sequence, dailystory_customers_contact_map.deleted_at IS NOT NULL, dailystory_customers_contact_map.dsid;

SELECT dailystory_customers_judged.sequence, dailystory_customers_judged.operation, dailystory_customers_pending.customer_id, dailystory_customers_snapshot.customer_id AS other_key_0, NOT (EXISTS (SELECT * 
FROM (SELECT source.customer_id AS customer_id, nullif(source.email, '') AS field_email, nullif(source.first_name, '') AS "field_firstName", nullif(source.level, '') AS field_city, nullif(source."plan", '') AS "field_lastName", nullif(source."plan", '') AS custom_plan 
FROM customers AS source) AS source 
WHERE dailystory_customers_snapshot.customer_id = source.customer_id)) AS leaves, dailystory_customers_contact_map.dsid AS other_dsid, coalesce(dailystory_customers_contact_map.deleted_at, dailystory_customers_contact_map.deactivated_at) AS taken_out_at, dailystory_customers_contact_map.deleted_in_dailystory_at IS NOT NULL AS deleted_in_dailystory, dailystory_customers_snapshot.absent_action, other_row.sequence AS other_sequence, other_row.reason IS NULL AND other_row.held = 0 AND other_row.identity_mobile IS NOT NULL AND other_row.identity_mobile != dailystory_customers_judged.identity_mobile AS other_moves 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence JOIN dailystory_customers_snapshot ON dailystory_customers_snapshot.identity_mobile = dailystory_customers_judged.identity_mobile JOIN dailystory_customers_contact_map ON dailystory_customers_snapshot.customer_id = dailystory_customers_contact_map.customer_id LEFT OUTER JOIN (SELECT other.sequence AS sequence, other.operation AS operation, other.identity_email AS identity_email, other.identity_mobile AS identity_mobile, other.identity_changed AS identity_changed, other.reason AS reason, other.message AS message, other.held AS held, other.rekeyed AS rekeyed, other.reactivates AS reactivates, other.absent_action AS absent_action, other.deleted_in_dailystory AS deleted_in_dailystory, other.dsid AS dsid, other.waits_for AS waits_for, other.priority AS priority, other.dropped_fields AS dropped_fields, other_pending.customer_id AS customer_id 
FROM dailystory_customers_judged AS other JOIN dailystory_customers_pending AS other_pending ON other.sequence = other_pending.sequence) AS other_row ON dailystory_customers_snapshot.customer_id = other_row.customer_id 
WHERE dailystory_customers_judged.reason IS NULL AND dailystory_customers_judged.held = 0 AND (dailystory_customers_judged.operation = ? OR dailystory_customers_judged.identity_changed = 1) ORDER BY dailystory_customers_judged.sequence, dailystory_customers_contact_map.deleted_at IS NOT NULL, dailystory_customers_contact_map.dsid;

SELECT dailystory_customers_judged.sequence, dailystory_customers_judged.operation, dailystory_customers_pending.customer_id, dailystory_customers_snapshot.customer_id AS other_key_0, NOT (EXISTS (SELECT * 
FROM dailystory_customers_present 
WHERE dailystory_customers_present.customer_id = dailystory_customers_snapshot.customer_id)) AS leaves, dailystory_customers_contact_map.dsid AS other_dsid, coalesce(dailystory_customers_contact_map.deleted_at, dailystory_customers_contact_map.deactivated_at) AS taken_out_at, dailystory_customers_contact_map.deleted_in_dailystory_at IS NOT NULL AS deleted_in_dailystory, dailystory_customers_snapshot.absent_action, other_row.sequence AS other_sequence, other_row.reason IS NULL AND other_row.held = 0 AND other_row.identity_email IS NOT NULL AND other_row.identity_email != dailystory_customers_judged.identity_email AS other_moves 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence JOIN dailystory_customers_snapshot ON dailystory_customers_snapshot.identity_email = dailystory_customers_judged.identity_email JOIN dailystory_customers_contact_map ON dailystory_customers_snapshot.customer_id = dailystory_customers_contact_map.customer_id LEFT OUTER JOIN (SELECT other.sequence AS sequence, other.operation AS operation, other.identity_email AS identity_email, other.identity_mobile AS identity_mobile, other.identity_changed AS identity_changed, other.reason AS reason, other.message AS message, other.held AS held, other.rekeyed AS rekeyed, other.reactivates AS reactivates, other.absent_action AS absent_action, other.deleted_in_dailystory AS deleted_in_dailystory, other.dsid AS dsid, other.waits_for AS waits_for, other.priority AS priority, other.dropped_fields AS dropped_fields, other_pending.customer_id AS customer_id 
FROM dailystory_customers_judged AS other JOIN dailystory_customers_pending AS other_pending ON other.sequence = other_pending.sequence) AS other_row ON dailystory_customers_snapshot.customer_id = other_row.customer_id 
WHERE dailystory_customers_judged.reason IS NULL AND dailystory_customers_judged.held = 0 AND (dailystory_customers_judged.operation = ? OR dailystory_customers_judged.identity_changed = 1) ORDER BY dailystory_customers_judged.sequence, dailystory_customers_contact_map.deleted_at IS NOT NULL, dailystory_customers_contact_map.dsid;

SELECT dailystory_customers_judged.sequence, dailystory_customers_judged.operation, dailystory_customers_pending.customer_id, dailystory_customers_snapshot.customer_id AS other_key_0, NOT (EXISTS (SELECT * 
FROM dailystory_customers_present 
WHERE dailystory_customers_present.customer_id = dailystory_customers_snapshot.customer_id)) AS leaves, dailystory_customers_contact_map.dsid AS other_dsid, coalesce(dailystory_customers_contact_map.deleted_at, dailystory_customers_contact_map.deactivated_at) AS taken_out_at, dailystory_customers_contact_map.deleted_in_dailystory_at IS NOT NULL AS deleted_in_dailystory, dailystory_customers_snapshot.absent_action, other_row.sequence AS other_sequence, other_row.reason IS NULL AND other_row.held = 0 AND other_row.identity_mobile IS NOT NULL AND other_row.identity_mobile != dailystory_customers_judged.identity_mobile AS other_moves 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence JOIN dailystory_customers_snapshot ON dailystory_customers_snapshot.identity_mobile = dailystory_customers_judged.identity_mobile JOIN dailystory_customers_contact_map ON dailystory_customers_snapshot.customer_id = dailystory_customers_contact_map.customer_id LEFT OUTER JOIN (SELECT other.sequence AS sequence, other.operation AS operation, other.identity_email AS identity_email, other.identity_mobile AS identity_mobile, other.identity_changed AS identity_changed, other.reason AS reason, other.message AS message, other.held AS held, other.rekeyed AS rekeyed, other.reactivates AS reactivates, other.absent_action AS absent_action, other.deleted_in_dailystory AS deleted_in_dailystory, other.dsid AS dsid, other.waits_for AS waits_for, other.priority AS priority, other.dropped_fields AS dropped_fields, other_pending.customer_id AS customer_id 
FROM dailystory_customers_judged AS other JOIN dailystory_customers_pending AS other_pending ON other.sequence = other_pending.sequence) AS other_row ON dailystory_customers_snapshot.customer_id = other_row.customer_id 
WHERE dailystory_customers_judged.reason IS NULL AND dailystory_customers_judged.held = 0 AND (dailystory_customers_judged.operation = ? OR dailystory_customers_judged.identity_changed = 1) ORDER BY dailystory_customers_judged.sequence, dailystory_customers_contact_map.deleted_at IS NOT NULL, dailystory_customers_contact_map.dsid;

SELECT dailystory_customers_judged.sequence, dailystory_customers_judged.operation, dailystory_customers_pending.customer_id, dailystory_customers_snapshot.customer_id AS other_key_0, NOT (EXISTS (SELECT * 
FROM dailystory_customers_staged AS source 
WHERE source.customer_id = dailystory_customers_snapshot.customer_id)) AS leaves, dailystory_customers_contact_map.dsid AS other_dsid, coalesce(dailystory_customers_contact_map.deleted_at, dailystory_customers_contact_map.deactivated_at) AS taken_out_at, dailystory_customers_contact_map.deleted_in_dailystory_at IS NOT NULL AS deleted_in_dailystory, dailystory_customers_snapshot.absent_action, other_row.sequence AS other_sequence, other_row.reason IS NULL AND other_row.held = 0 AND other_row.identity_email IS NOT NULL AND other_row.identity_email != dailystory_customers_judged.identity_email AS other_moves 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence JOIN dailystory_customers_snapshot ON dailystory_customers_snapshot.identity_email = dailystory_customers_judged.identity_email JOIN dailystory_customers_contact_map ON dailystory_customers_snapshot.customer_id = dailystory_customers_contact_map.customer_id LEFT OUTER JOIN (SELECT other.sequence AS sequence, other.operation AS operation, other.identity_email AS identity_email, other.identity_mobile AS identity_mobile, other.identity_changed AS identity_changed, other.reason AS reason, other.message AS message, other.held AS held, other.rekeyed AS rekeyed, other.reactivates AS reactivates, other.absent_action AS absent_action, other.deleted_in_dailystory AS deleted_in_dailystory, other.dsid AS dsid, other.waits_for AS waits_for, other.priority AS priority, other.dropped_fields AS dropped_fields, other_pending.customer_id AS customer_id 
FROM dailystory_customers_judged AS other JOIN dailystory_customers_pending AS other_pending ON other.sequence = other_pending.sequence) AS other_row ON dailystory_customers_snapshot.customer_id = other_row.customer_id 
WHERE dailystory_customers_judged.reason IS NULL AND dailystory_customers_judged.held = 0 AND (dailystory_customers_judged.operation = ? OR dailystory_customers_judged.identity_changed = 1) ORDER BY dailystory_customers_judged.sequence, dailystory_customers_contact_map.deleted_at IS NOT NULL, dailystory_customers_contact_map.dsid;

SELECT dailystory_customers_judged.sequence, dailystory_customers_judged.operation, dailystory_customers_pending.customer_id, dailystory_customers_snapshot.customer_id AS other_key_0, NOT (EXISTS (SELECT * 
FROM dailystory_customers_staged AS source 
WHERE source.customer_id = dailystory_customers_snapshot.customer_id)) AS leaves, dailystory_customers_contact_map.dsid AS other_dsid, coalesce(dailystory_customers_contact_map.deleted_at, dailystory_customers_contact_map.deactivated_at) AS taken_out_at, dailystory_customers_contact_map.deleted_in_dailystory_at IS NOT NULL AS deleted_in_dailystory, dailystory_customers_snapshot.absent_action, other_row.sequence AS other_sequence, other_row.reason IS NULL AND other_row.held = 0 AND other_row.identity_mobile IS NOT NULL AND other_row.identity_mobile != dailystory_customers_judged.identity_mobile AS other_moves 
FROM dailystory_customers_judged JOIN dailystory_customers_pending ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence JOIN dailystory_customers_snapshot ON dailystory_customers_snapshot.identity_mobile = dailystory_customers_judged.identity_mobile JOIN dailystory_customers_contact_map ON dailystory_customers_snapshot.customer_id = dailystory_customers_contact_map.customer_id LEFT OUTER JOIN (SELECT other.sequence AS sequence, other.operation AS operation, other.identity_email AS identity_email, other.identity_mobile AS identity_mobile, other.identity_changed AS identity_changed, other.reason AS reason, other.message AS message, other.held AS held, other.rekeyed AS rekeyed, other.reactivates AS reactivates, other.absent_action AS absent_action, other.deleted_in_dailystory AS deleted_in_dailystory, other.dsid AS dsid, other.waits_for AS waits_for, other.priority AS priority, other.dropped_fields AS dropped_fields, other_pending.customer_id AS customer_id 
FROM dailystory_customers_judged AS other JOIN dailystory_customers_pending AS other_pending ON other.sequence = other_pending.sequence) AS other_row ON dailystory_customers_snapshot.customer_id = other_row.customer_id 
WHERE dailystory_customers_judged.reason IS NULL AND dailystory_customers_judged.held = 0 AND (dailystory_customers_judged.operation = ? OR dailystory_customers_judged.identity_changed = 1) ORDER BY dailystory_customers_judged.sequence, dailystory_customers_contact_map.deleted_at IS NOT NULL, dailystory_customers_contact_map.dsid;

SELECT dailystory_customers_new_identities.sequence, dailystory_customers_new_identities.field_email 
FROM dailystory_customers_new_identities 
WHERE dailystory_customers_new_identities.sequence BETWEEN ? AND ?;

SELECT dailystory_customers_pending.customer_id 
FROM dailystory_customers_pending 
WHERE dailystory_customers_pending.departed = 0 GROUP BY dailystory_customers_pending.customer_id 
HAVING count(*) > ?
 LIMIT ? OFFSET ?;

SELECT dailystory_customers_pending.sequence, dailystory_customers_pending.customer_id, dailystory_customers_pending.field_email, dailystory_customers_pending."field_firstName", dailystory_customers_pending.field_city, coalesce(dailystory_customers_pending.custom_plan, dailystory_customers_snapshot.custom_plan) AS custom_plan, dailystory_customers_pending.differs_field_email, dailystory_customers_pending."differs_field_firstName", dailystory_customers_pending.differs_field_city, dailystory_customers_pending.differs_custom_plan, dailystory_customers_pending.is_new, dailystory_customers_pending.replaces, NULL AS operation, NULL AS planned_dsid, NULL AS reactivates, NULL AS rekeyed, NULL AS dropped_fields, dailystory_customers_snapshot.identity_email AS old_email, dailystory_customers_snapshot.identity_mobile AS old_mobile, NULL AS new_email, NULL AS new_mobile, dailystory_customers_snapshot.absent_action AS absent_action, dailystory_customers_contact_map.dsid AS mapped_dsid, dailystory_customers_contact_map.deleted_in_dailystory_at IS NOT NULL AS deleted_in_dailystory, dailystory_customers_intents.sent_at AS intent_at, dailystory_customers_intents.email_as_sent, dailystory_customers_intents.mobile_as_sent 
FROM dailystory_customers_pending LEFT OUTER JOIN dailystory_customers_snapshot ON dailystory_customers_snapshot.customer_id = dailystory_customers_pending.customer_id LEFT OUTER JOIN dailystory_customers_contact_map ON dailystory_customers_contact_map.customer_id = dailystory_customers_pending.customer_id LEFT OUTER JOIN dailystory_customers_intents ON dailystory_customers_intents.customer_id = dailystory_customers_pending.customer_id 
WHERE dailystory_customers_pending.departed = 0 AND NOT (EXISTS (SELECT * 
FROM dailystory_customers_judged 
WHERE dailystory_customers_judged.sequence = dailystory_customers_pending.sequence)) AND dailystory_customers_pending.sequence BETWEEN ? AND ? ORDER BY dailystory_customers_pending.sequence;

SELECT dailystory_customers_pending.sequence, dailystory_customers_pending.customer_id, dailystory_customers_pending.field_email, dailystory_customers_pending."field_firstName", dailystory_customers_pending.field_city, dailystory_customers_pending."field_lastName", coalesce(dailystory_customers_pending.custom_plan, dailystory_customers_snapshot.custom_plan) AS custom_plan, dailystory_customers_pending.differs_field_email, dailystory_customers_pending."differs_field_firstName", dailystory_customers_pending.differs_field_city, dailystory_customers_pending."differs_field_lastName", dailystory_customers_pending.differs_custom_plan, dailystory_customers_pending.is_new, dailystory_customers_pending.replaces, NULL AS operation, NULL AS planned_dsid, NULL AS reactivates, NULL AS rekeyed, NULL AS dropped_fields, dailystory_customers_snapshot.identity_email AS old_email, dailystory_customers_snapshot.identity_mobile AS old_mobile, NULL AS new_email, NULL AS new_mobile, dailystory_customers_snapshot.absent_action AS absent_action, dailystory_customers_contact_map.dsid AS mapped_dsid, dailystory_customers_contact_map.deleted_in_dailystory_at IS NOT NULL AS deleted_in_dailystory, dailystory_customers_intents.sent_at AS intent_at, dailystory_customers_intents.email_as_sent, dailystory_customers_intents.mobile_as_sent 
FROM dailystory_customers_pending LEFT OUTER JOIN dailystory_customers_snapshot ON dailystory_customers_snapshot.customer_id = dailystory_customers_pending.customer_id LEFT OUTER JOIN dailystory_customers_contact_map ON dailystory_customers_contact_map.customer_id = dailystory_customers_pending.customer_id LEFT OUTER JOIN dailystory_customers_intents ON dailystory_customers_intents.customer_id = dailystory_customers_pending.customer_id 
WHERE dailystory_customers_pending.departed = 0 AND NOT (EXISTS (SELECT * 
FROM dailystory_customers_judged 
WHERE dailystory_customers_judged.sequence = dailystory_customers_pending.sequence)) AND dailystory_customers_pending.sequence BETWEEN ? AND ? ORDER BY dailystory_customers_pending.sequence;

SELECT dailystory_customers_rejections.customer_id, dailystory_customers_rejections.reason, dailystory_customers_rejections.message, dailystory_customers_rejections.fingerprint, dailystory_customers_rejections.opts_out, dailystory_customers_rejections.source_rows, dailystory_customers_rejections.attempts, dailystory_customers_rejections.first_seen_at, dailystory_customers_rejections.last_seen_at 
FROM dailystory_customers_rejections 
WHERE dailystory_customers_rejections.reason IN (?);

SELECT dailystory_customers_rejections.reason 
FROM dailystory_customers_rejections
 LIMIT ? OFFSET ?;

SELECT dailystory_customers_row_hashes.row_hash 
FROM dailystory_customers_row_hashes
 LIMIT ? OFFSET ?;

SELECT dailystory_meta.holder, dailystory_meta.fence 
FROM dailystory_meta 
WHERE dailystory_meta.name = ?;

SELECT dailystory_meta.name 
FROM dailystory_meta 
WHERE (dailystory_meta.name LIKE ? || '%' ESCAPE '/');

SELECT dailystory_meta.name 
FROM dailystory_meta 
WHERE dailystory_meta.name = ?;

SELECT dailystory_meta.name, dailystory_meta.value 
FROM dailystory_meta;

SELECT dailystory_meta.name, dailystory_meta.value, dailystory_meta.holder, dailystory_meta.fence, dailystory_meta.heartbeat_at, dailystory_meta.run_id, dailystory_meta.taken_at 
FROM dailystory_meta 
WHERE (dailystory_meta.name LIKE ? || '%' ESCAPE '/') ORDER BY dailystory_meta.fence, dailystory_meta.name;

SELECT dailystory_meta.name, dailystory_meta.value, dailystory_meta.holder, dailystory_meta.fence, dailystory_meta.heartbeat_at, dailystory_meta.run_id, dailystory_meta.taken_at 
FROM dailystory_meta 
WHERE dailystory_meta.name = ?;

SELECT dailystory_meta.value 
FROM dailystory_meta 
WHERE dailystory_meta.name = ?;

SELECT dailystory_plans.number 
FROM dailystory_plans 
WHERE dailystory_plans.plan_id = ?;

SELECT dailystory_plans.partition_value, dailystory_plans.settings, dailystory_runs.rows_failed, dailystory_runs.rows_in_doubt 
FROM dailystory_plans JOIN dailystory_runs ON dailystory_runs.plan_id = dailystory_plans.plan_id 
WHERE dailystory_plans.sync_name = ? AND dailystory_plans.whole_source = 1 AND dailystory_runs.outcome IN (?) AND dailystory_plans.plan_id = ? ORDER BY dailystory_plans.number, dailystory_runs.finished_at;

SELECT dailystory_plans.plan_id 
FROM dailystory_plans 
WHERE dailystory_plans.sync_name = ? AND dailystory_plans.number > ? AND dailystory_plans.sent_at IS NOT NULL
 LIMIT ? OFFSET ?;

SELECT dailystory_plans.plan_id 
FROM dailystory_plans 
WHERE dailystory_plans.sync_name = ? AND dailystory_plans.status IN (?);

SELECT dailystory_plans.plan_id 
FROM dailystory_plans 
WHERE dailystory_plans.sync_name = ? AND dailystory_plans.status IN (?) AND dailystory_plans.sent_at IS NOT NULL AND dailystory_plans.scope = ?;

SELECT dailystory_plans.plan_id 
FROM dailystory_plans 
WHERE dailystory_plans.sync_name = ? ORDER BY dailystory_plans.number DESC
 LIMIT ? OFFSET ?;

SELECT dailystory_plans.plan_id, dailystory_plans.left_priority, dailystory_plans.left_sequence 
FROM dailystory_plans 
WHERE dailystory_plans.sync_name = ? AND dailystory_plans.status = ? AND dailystory_plans.left_sequence IS NOT NULL;

SELECT dailystory_plans.plan_id, dailystory_plans.sync_name, dailystory_plans.partition_value, dailystory_plans.run_id, dailystory_plans.scope, dailystory_plans.options, dailystory_plans.mapping_version, dailystory_plans.destination, dailystory_plans.status, dailystory_plans.guards, dailystory_plans.changes_by_field, dailystory_plans.rejections_by_reason, dailystory_plans.settings, dailystory_plans.fields_dropped, dailystory_plans.new_custom_fields, dailystory_plans.opt_outs_waiting, dailystory_plans.number, dailystory_plans.rows_read, dailystory_plans.rows_unchanged, dailystory_plans.rows_to_create, dailystory_plans.rows_to_update, dailystory_plans.rows_to_delete, dailystory_plans.rows_rejected, dailystory_plans.rows_held, dailystory_plans.rows_delete_skipped_shared, dailystory_plans.opt_outs_to_send, dailystory_plans.opt_outs_pending, dailystory_plans.opt_outs_ahead, dailystory_plans.live_keys, dailystory_plans.whole_source, dailystory_plans.first_load, dailystory_plans.diff_seconds, dailystory_plans.created_at, dailystory_plans.expires_at, dailystory_plans.sent_at, dailystory_plans.finished_at, dailystory_plans.left_priority, dailystory_plans.left_sequence 
FROM dailystory_plans 
WHERE dailystory_plans.sync_name = ? AND dailystory_plans.created_at >= ? AND (dailystory_plans.status NOT IN (?));

SELECT dailystory_plans.plan_id, dailystory_plans.sync_name, dailystory_plans.partition_value, dailystory_plans.run_id, dailystory_plans.scope, dailystory_plans.options, dailystory_plans.mapping_version, dailystory_plans.destination, dailystory_plans.status, dailystory_plans.guards, dailystory_plans.changes_by_field, dailystory_plans.rejections_by_reason, dailystory_plans.settings, dailystory_plans.fields_dropped, dailystory_plans.new_custom_fields, dailystory_plans.opt_outs_waiting, dailystory_plans.number, dailystory_plans.rows_read, dailystory_plans.rows_unchanged, dailystory_plans.rows_to_create, dailystory_plans.rows_to_update, dailystory_plans.rows_to_delete, dailystory_plans.rows_rejected, dailystory_plans.rows_held, dailystory_plans.rows_delete_skipped_shared, dailystory_plans.opt_outs_to_send, dailystory_plans.opt_outs_pending, dailystory_plans.opt_outs_ahead, dailystory_plans.live_keys, dailystory_plans.whole_source, dailystory_plans.first_load, dailystory_plans.diff_seconds, dailystory_plans.created_at, dailystory_plans.expires_at, dailystory_plans.sent_at, dailystory_plans.finished_at, dailystory_plans.left_priority, dailystory_plans.left_sequence 
FROM dailystory_plans 
WHERE dailystory_plans.sync_name = ? AND dailystory_plans.run_id IN (?) AND dailystory_plans.partition_value IS ? ORDER BY dailystory_plans.number DESC;

SELECT dailystory_plans.plan_id, dailystory_plans.sync_name, dailystory_plans.partition_value, dailystory_plans.run_id, dailystory_plans.scope, dailystory_plans.options, dailystory_plans.mapping_version, dailystory_plans.destination, dailystory_plans.status, dailystory_plans.guards, dailystory_plans.changes_by_field, dailystory_plans.rejections_by_reason, dailystory_plans.settings, dailystory_plans.fields_dropped, dailystory_plans.new_custom_fields, dailystory_plans.opt_outs_waiting, dailystory_plans.number, dailystory_plans.rows_read, dailystory_plans.rows_unchanged, dailystory_plans.rows_to_create, dailystory_plans.rows_to_update, dailystory_plans.rows_to_delete, dailystory_plans.rows_rejected, dailystory_plans.rows_held, dailystory_plans.rows_delete_skipped_shared, dailystory_plans.opt_outs_to_send, dailystory_plans.opt_outs_pending, dailystory_plans.opt_outs_ahead, dailystory_plans.live_keys, dailystory_plans.whole_source, dailystory_plans.first_load, dailystory_plans.diff_seconds, dailystory_plans.created_at, dailystory_plans.expires_at, dailystory_plans.sent_at, dailystory_plans.finished_at, dailystory_plans.left_priority, dailystory_plans.left_sequence 
FROM dailystory_plans 
WHERE dailystory_plans.sync_name = ? AND dailystory_plans.run_id IN (?) AND dailystory_plans.partition_value IS NULL ORDER BY dailystory_plans.number DESC;

SELECT dailystory_plans.plan_id, dailystory_plans.sync_name, dailystory_plans.partition_value, dailystory_plans.run_id, dailystory_plans.scope, dailystory_plans.options, dailystory_plans.mapping_version, dailystory_plans.destination, dailystory_plans.status, dailystory_plans.guards, dailystory_plans.changes_by_field, dailystory_plans.rejections_by_reason, dailystory_plans.settings, dailystory_plans.fields_dropped, dailystory_plans.new_custom_fields, dailystory_plans.opt_outs_waiting, dailystory_plans.number, dailystory_plans.rows_read, dailystory_plans.rows_unchanged, dailystory_plans.rows_to_create, dailystory_plans.rows_to_update, dailystory_plans.rows_to_delete, dailystory_plans.rows_rejected, dailystory_plans.rows_held, dailystory_plans.rows_delete_skipped_shared, dailystory_plans.opt_outs_to_send, dailystory_plans.opt_outs_pending, dailystory_plans.opt_outs_ahead, dailystory_plans.live_keys, dailystory_plans.whole_source, dailystory_plans.first_load, dailystory_plans.diff_seconds, dailystory_plans.created_at, dailystory_plans.expires_at, dailystory_plans.sent_at, dailystory_plans.finished_at, dailystory_plans.left_priority, dailystory_plans.left_sequence 
FROM dailystory_plans 
WHERE dailystory_plans.sync_name = ? AND dailystory_plans.status IN (?);

SELECT dailystory_runs.plan_id, sum(dailystory_runs.rows_created) AS sum_1, sum(dailystory_runs.rows_updated) AS sum_2 
FROM dailystory_runs 
WHERE dailystory_runs.plan_id IN (SELECT dailystory_plans.plan_id 
FROM dailystory_plans 
WHERE dailystory_plans.sync_name = ? AND dailystory_plans.created_at >= ? AND (dailystory_plans.status NOT IN (?))) GROUP BY dailystory_runs.plan_id;

SELECT given.customer_id 
FROM (SELECT dailystory_customers_changes.customer_id AS customer_id 
FROM dailystory_customers_changes 
WHERE dailystory_customers_changes.plan_id = ? AND dailystory_customers_changes.sequence IN (?)) AS given 
WHERE given.customer_id IN (SELECT source.customer_id AS customer_id 
FROM customers AS source 
WHERE source.customer_id IS NOT NULL);

SELECT given.customer_id 
FROM (SELECT holders.customer_id AS customer_id 
FROM (SELECT dailystory_customers_changes.sequence AS sequence, coalesce(dailystory_customers_snapshot.identity_email = dailystory_customers_changes.identity_email OR dailystory_customers_snapshot.identity_mobile = dailystory_customers_changes.identity_mobile, ?) AS is_same, dailystory_customers_contact_map.customer_id AS customer_id 
FROM dailystory_customers_changes JOIN dailystory_customers_contact_map ON dailystory_customers_contact_map.dsid = dailystory_customers_changes.dsid JOIN dailystory_customers_snapshot ON dailystory_customers_snapshot.customer_id = dailystory_customers_contact_map.customer_id 
WHERE dailystory_customers_changes.plan_id = ? AND dailystory_customers_changes.sequence IN (?) AND dailystory_customers_contact_map.customer_id != dailystory_customers_changes.customer_id) AS holders) AS given 
WHERE given.customer_id IN (SELECT source.customer_id AS customer_id 
FROM customers AS source 
WHERE source.customer_id IS NOT NULL);

SELECT holders.customer_id 
FROM (SELECT dailystory_customers_changes.sequence AS sequence, coalesce(dailystory_customers_snapshot.identity_email = dailystory_customers_changes.identity_email OR dailystory_customers_snapshot.identity_mobile = dailystory_customers_changes.identity_mobile, ?) AS is_same, dailystory_customers_contact_map.customer_id AS customer_id 
FROM dailystory_customers_changes JOIN dailystory_customers_contact_map ON dailystory_customers_contact_map.dsid = dailystory_customers_changes.dsid JOIN dailystory_customers_snapshot ON dailystory_customers_snapshot.customer_id = dailystory_customers_contact_map.customer_id 
WHERE dailystory_customers_changes.plan_id = ? AND dailystory_customers_changes.sequence IN (?) AND dailystory_customers_contact_map.customer_id != dailystory_customers_changes.customer_id) AS holders;

SELECT max(dailystory_customers_new_identities.sequence) AS max_1 
FROM dailystory_customers_new_identities;

SELECT max(dailystory_customers_pending.sequence) AS max_1 
FROM dailystory_customers_pending;

SELECT max(dailystory_plans.number) AS max_1 
FROM dailystory_plans 
WHERE dailystory_plans.sync_name = ?;

SELECT min(dailystory_customers_changes.sequence) AS min_1, max(dailystory_customers_changes.sequence) AS max_1 
FROM dailystory_customers_changes 
WHERE dailystory_customers_changes.plan_id = ? AND dailystory_customers_changes.outcome IS NULL AND dailystory_customers_changes.operation IN (?) AND dailystory_customers_changes.priority = ?;

SELECT min(dailystory_customers_pending.sequence) AS min_1, max(dailystory_customers_pending.sequence) AS max_1 
FROM dailystory_customers_pending 
WHERE dailystory_customers_pending.departed = 0 AND NOT (EXISTS (SELECT * 
FROM dailystory_customers_judged 
WHERE dailystory_customers_judged.sequence = dailystory_customers_pending.sequence));

SELECT moved.dsid 
FROM (SELECT dailystory_customers_changes.customer_id AS customer_id, dailystory_customers_changes.dsid AS dsid 
FROM dailystory_customers_changes JOIN dailystory_customers_answers ON dailystory_customers_answers.sequence = dailystory_customers_changes.sequence 
WHERE dailystory_customers_changes.plan_id = ? AND dailystory_customers_changes.sequence IN (SELECT dailystory_customers_answers.sequence 
FROM dailystory_customers_answers) AND dailystory_customers_answers.outcome IN (?) AND dailystory_customers_changes.rekeyed = 1) AS moved
 LIMIT ? OFFSET ?;

SELECT ranked.customer_id, ranked.reason, ranked.message, ranked.source_rows 
FROM (SELECT found.customer_id AS customer_id, found.reason AS reason, found.message AS message, found.source_rows AS source_rows, row_number() OVER (PARTITION BY found.reason ORDER BY found.customer_id) AS place 
FROM (SELECT dailystory_customers_pending.customer_id AS customer_id, dailystory_customers_judged.reason AS reason, dailystory_customers_judged.message AS message, CAST(? AS BIGINT) AS source_rows 
FROM dailystory_customers_pending JOIN dailystory_customers_judged ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_judged.reason IS NOT NULL UNION ALL SELECT dailystory_customers_duplicates.customer_id AS customer_id, ? AS reason, ? AS message, dailystory_customers_duplicates.source_rows AS source_rows 
FROM dailystory_customers_duplicates) AS found) AS ranked 
WHERE ranked.place <= ? ORDER BY ranked.reason, ranked.place;

SELECT source.customer_id AS customer_id, source.email 
FROM customers AS source 
WHERE lower(trim(CAST(source.email AS VARCHAR))) IN (?);

UPDATE dailystory_customers_changes SET custom_plan=CASE WHEN (dailystory_customers_changes.custom_plan IS NULL) THEN (SELECT dailystory_customers_snapshot.custom_plan 
FROM dailystory_customers_contact_map JOIN dailystory_customers_snapshot ON dailystory_customers_contact_map.customer_id = dailystory_customers_snapshot.customer_id 
WHERE dailystory_customers_contact_map.dsid = dailystory_customers_changes.dsid
 LIMIT ? OFFSET ?) ELSE dailystory_customers_changes.custom_plan END WHERE dailystory_customers_changes.plan_id = ? AND dailystory_customers_changes.rekeyed = 1;

UPDATE dailystory_customers_changes SET dsid=coalesce(dailystory_customers_answers.dsid, dailystory_customers_changes.dsid), outcome=dailystory_customers_answers.outcome, reason=dailystory_customers_answers.reason, message=dailystory_customers_answers.message, attempts=dailystory_customers_answers.attempts, answered_at=dailystory_customers_answers.answered_at FROM dailystory_customers_answers WHERE dailystory_customers_changes.plan_id = ? AND dailystory_customers_changes.sequence = dailystory_customers_answers.sequence;

UPDATE dailystory_customers_changes SET outcome=? WHERE dailystory_customers_changes.plan_id = ? AND dailystory_customers_changes.outcome IN (?);

UPDATE dailystory_customers_changes SET outcome=?, answered_at=? WHERE dailystory_customers_changes.plan_id = ? AND dailystory_customers_changes.outcome IS NULL AND dailystory_customers_changes.operation = ? OR dailystory_customers_changes.plan_id = ? AND dailystory_customers_changes.outcome IS NULL AND dailystory_customers_changes.operation = ?;

UPDATE dailystory_customers_changes SET outcome=?, message=?, answered_at=? WHERE dailystory_customers_changes.plan_id = ? AND dailystory_customers_changes.outcome IS NULL AND dailystory_customers_changes.operation IN (?) AND (dailystory_customers_changes.is_new = 1 OR dailystory_customers_changes.identity_changed = 1) AND coalesce(dailystory_customers_changes.rekeyed, 0) = 0 AND dailystory_customers_changes.waits_for IS NULL AND ((EXISTS (SELECT * 
FROM dailystory_customers_snapshot 
WHERE dailystory_customers_snapshot.identity_email = dailystory_customers_changes.identity_email AND dailystory_customers_snapshot.absent_since IS NULL AND dailystory_customers_snapshot.customer_id != dailystory_customers_changes.customer_id)) OR (EXISTS (SELECT * 
FROM dailystory_customers_snapshot 
WHERE dailystory_customers_snapshot.identity_mobile = dailystory_customers_changes.identity_mobile AND dailystory_customers_snapshot.absent_since IS NULL AND dailystory_customers_snapshot.customer_id != dailystory_customers_changes.customer_id)) OR (EXISTS (SELECT * 
FROM dailystory_customers_intents 
WHERE lower(dailystory_customers_intents.email_as_sent) = dailystory_customers_changes.identity_email AND dailystory_customers_intents.customer_id != dailystory_customers_changes.customer_id)) OR (EXISTS (SELECT * 
FROM dailystory_customers_intents 
WHERE dailystory_customers_intents.mobile_as_sent = dailystory_customers_changes.identity_mobile AND dailystory_customers_intents.customer_id != dailystory_customers_changes.customer_id)));

UPDATE dailystory_customers_changes SET outcome=?, message=?, answered_at=? WHERE dailystory_customers_changes.plan_id = ? AND dailystory_customers_changes.outcome IS NULL AND dailystory_customers_changes.operation IN (?) AND dailystory_customers_changes.priority = ? AND (EXISTS (SELECT "before".sequence 
FROM dailystory_customers_changes AS "before" 
WHERE "before".plan_id = ? AND "before".sequence = dailystory_customers_changes.waits_for AND (coalesce("before".outcome, ?) NOT IN (?))));

UPDATE dailystory_customers_contact_map SET customer_id=moved.customer_id FROM (SELECT dailystory_customers_changes.customer_id AS customer_id, dailystory_customers_changes.dsid AS dsid 
FROM dailystory_customers_changes JOIN dailystory_customers_answers ON dailystory_customers_answers.sequence = dailystory_customers_changes.sequence 
WHERE dailystory_customers_changes.plan_id = ? AND dailystory_customers_changes.sequence IN (SELECT dailystory_customers_answers.sequence 
FROM dailystory_customers_answers) AND dailystory_customers_answers.outcome IN (?) AND dailystory_customers_changes.rekeyed = 1) AS moved WHERE dailystory_customers_contact_map.dsid = moved.dsid AND dailystory_customers_contact_map.customer_id != moved.customer_id;

UPDATE dailystory_customers_contact_map SET deactivated_at=gone.answered_at FROM (SELECT dailystory_customers_changes.customer_id AS customer_id, dailystory_customers_answers.answered_at AS answered_at 
FROM dailystory_customers_changes JOIN dailystory_customers_answers ON dailystory_customers_answers.sequence = dailystory_customers_changes.sequence 
WHERE dailystory_customers_changes.plan_id = ? AND dailystory_customers_changes.sequence IN (SELECT dailystory_customers_answers.sequence 
FROM dailystory_customers_answers) AND dailystory_customers_answers.outcome IN (?)) AS gone WHERE dailystory_customers_contact_map.customer_id = gone.customer_id;

UPDATE dailystory_customers_contact_map SET dsid=linked.dsid, last_synced_at=linked.answered_at, deactivated_at=NULL, deleted_at=NULL, deleted_in_dailystory_at=NULL FROM (SELECT dailystory_customers_changes.customer_id AS customer_id, dailystory_customers_answers.dsid AS dsid, dailystory_customers_answers.answered_at AS answered_at 
FROM dailystory_customers_changes JOIN dailystory_customers_answers ON dailystory_customers_answers.sequence = dailystory_customers_changes.sequence 
WHERE dailystory_customers_changes.plan_id = ? AND dailystory_customers_changes.sequence IN (SELECT dailystory_customers_answers.sequence 
FROM dailystory_customers_answers) AND dailystory_customers_answers.outcome IN (?)) AS linked WHERE dailystory_customers_contact_map.customer_id = linked.customer_id;

UPDATE dailystory_customers_judged SET operation=given.operation, held=given.held, rekeyed=given.rekeyed, reactivates=given.reactivates, absent_action=given.absent_action, deleted_in_dailystory=given.deleted_in_dailystory, dsid=given.dsid FROM (SELECT json_extract(anon_1.value, ?) AS sequence, json_extract(anon_1.value, ?) AS dsid, json_extract(anon_1.value, ?) AS operation, json_extract(anon_1.value, ?) AS rekeyed, json_extract(anon_1.value, ?) AS reactivates, json_extract(anon_1.value, ?) AS absent_action, json_extract(anon_1.value, ?) AS deleted_in_dailystory, json_extract(anon_1.value, ?) AS held 
FROM json_each(?) AS anon_1
 LIMIT -1 OFFSET ?) AS given WHERE dailystory_customers_judged.sequence = given.sequence;

UPDATE dailystory_customers_judged SET reason=given.reason, message=given.message FROM (SELECT json_extract(anon_1.value, ?) AS sequence, json_extract(anon_1.value, ?) AS reason, json_extract(anon_1.value, ?) AS message 
FROM json_each(?) AS anon_1
 LIMIT -1 OFFSET ?) AS given WHERE dailystory_customers_judged.sequence = given.sequence;

UPDATE dailystory_customers_rejections SET message=found.message, source_rows=found.source_rows, last_seen_at=? FROM (SELECT dailystory_customers_duplicates.customer_id AS customer_id, ? AS reason, ? AS message, dailystory_customers_duplicates.source_rows AS source_rows 
FROM dailystory_customers_duplicates) AS found WHERE dailystory_customers_rejections.customer_id = found.customer_id AND dailystory_customers_rejections.reason = found.reason;

UPDATE dailystory_customers_rejections SET message=found.message, source_rows=found.source_rows, last_seen_at=? FROM (SELECT dailystory_customers_pending.customer_id AS customer_id, dailystory_customers_judged.reason AS reason, dailystory_customers_judged.message AS message, CAST(? AS BIGINT) AS source_rows 
FROM dailystory_customers_pending JOIN dailystory_customers_judged ON dailystory_customers_judged.sequence = dailystory_customers_pending.sequence 
WHERE dailystory_customers_judged.reason IS NOT NULL) AS found WHERE dailystory_customers_rejections.customer_id = found.customer_id AND dailystory_customers_rejections.reason = found.reason;

UPDATE dailystory_customers_rejections SET reason=found.reason, message=found.message, fingerprint=found.fingerprint, opts_out=found.opts_out, attempts=(dailystory_customers_rejections.attempts + ?), last_seen_at=? FROM (SELECT dailystory_customers_changes.customer_id AS customer_id, given.reason AS reason, given.message AS message, given.fingerprint AS fingerprint, dailystory_customers_changes.operation = ? AND 0 = 1 AS opts_out 
FROM dailystory_customers_changes JOIN (SELECT json_extract(anon_1.value, ?) AS sequence, json_extract(anon_1.value, ?) AS reason, json_extract(anon_1.value, ?) AS message, json_extract(anon_1.value, ?) AS fingerprint 
FROM json_each(?) AS anon_1
 LIMIT -1 OFFSET ?) AS given ON dailystory_customers_changes.sequence = given.sequence 
WHERE dailystory_customers_changes.plan_id = ?) AS found WHERE dailystory_customers_rejections.customer_id = found.customer_id;

UPDATE dailystory_customers_snapshot SET absent_since=coalesce(dailystory_customers_snapshot.absent_since, ?), absent_action=CASE WHEN (gone.reason = ?) THEN ? ELSE ? END, acknowledged_plan=? FROM (SELECT dailystory_customers_changes.customer_id AS customer_id, dailystory_customers_changes.reason AS reason 
FROM dailystory_customers_changes 
WHERE dailystory_customers_changes.plan_id = ? AND dailystory_customers_changes.outcome IS NULL AND dailystory_customers_changes.operation = ?) AS gone WHERE dailystory_customers_snapshot.customer_id = gone.customer_id;

UPDATE dailystory_customers_snapshot SET absent_since=coalesce(dailystory_customers_snapshot.absent_since, gone.answered_at), absent_action=?, acknowledged_plan=? FROM (SELECT dailystory_customers_changes.customer_id AS customer_id, dailystory_customers_answers.answered_at AS answered_at 
FROM dailystory_customers_changes JOIN dailystory_customers_answers ON dailystory_customers_answers.sequence = dailystory_customers_changes.sequence 
WHERE dailystory_customers_changes.plan_id = ? AND dailystory_customers_changes.sequence IN (SELECT dailystory_customers_answers.sequence 
FROM dailystory_customers_answers) AND dailystory_customers_answers.outcome IN (?)) AS gone WHERE dailystory_customers_snapshot.customer_id = gone.customer_id;

UPDATE dailystory_customers_snapshot SET customer_id=moved.customer_id FROM dailystory_customers_contact_map, (SELECT dailystory_customers_changes.customer_id AS customer_id, dailystory_customers_changes.dsid AS dsid 
FROM dailystory_customers_changes JOIN dailystory_customers_answers ON dailystory_customers_answers.sequence = dailystory_customers_changes.sequence 
WHERE dailystory_customers_changes.plan_id = ? AND dailystory_customers_changes.sequence IN (SELECT dailystory_customers_answers.sequence 
FROM dailystory_customers_answers) AND dailystory_customers_answers.outcome IN (?) AND dailystory_customers_changes.rekeyed = 1) AS moved WHERE dailystory_customers_snapshot.customer_id = dailystory_customers_contact_map.customer_id AND dailystory_customers_contact_map.dsid = moved.dsid AND dailystory_customers_contact_map.customer_id != moved.customer_id;

UPDATE dailystory_customers_snapshot SET field_email=CASE WHEN recorded.differs_field_email THEN recorded.field_email ELSE dailystory_customers_snapshot.field_email END, "field_firstName"=CASE WHEN recorded."differs_field_firstName" THEN recorded."field_firstName" ELSE dailystory_customers_snapshot."field_firstName" END, field_city=CASE WHEN recorded.differs_field_city THEN recorded.field_city ELSE dailystory_customers_snapshot.field_city END, custom_plan=CASE WHEN recorded.differs_custom_plan THEN recorded.custom_plan ELSE dailystory_customers_snapshot.custom_plan END, partition_value=coalesce(recorded.partition_value, dailystory_customers_snapshot.partition_value), acknowledged_plan=? FROM (SELECT dailystory_customers_changes.plan_id AS plan_id, dailystory_customers_changes.sequence AS sequence, dailystory_customers_changes.customer_id AS customer_id, dailystory_customers_changes.operation AS operation, dailystory_customers_changes.partition_value AS partition_value, dailystory_customers_changes.identity_email AS identity_email, dailystory_customers_changes.identity_mobile AS identity_mobile, dailystory_customers_changes.is_new AS is_new, dailystory_customers_changes.replaces AS replaces, dailystory_customers_changes.identity_changed AS identity_changed, dailystory_customers_changes.rekeyed AS rekeyed, dailystory_customers_changes.reactivates AS reactivates, dailystory_customers_changes.absent_action AS absent_action, dailystory_customers_changes.deleted_in_dailystory AS deleted_in_dailystory, dailystory_customers_changes.dsid AS dsid, dailystory_customers_changes.priority AS priority, dailystory_customers_changes.waits_for AS waits_for, dailystory_customers_changes.field_email AS field_email, dailystory_customers_changes."field_firstName" AS "field_firstName", dailystory_customers_changes.field_city AS field_city, dailystory_customers_changes.custom_plan AS custom_plan, dailystory_customers_changes.differs_field_email AS differs_field_email, dailystory_customers_changes."differs_field_firstName" AS "differs_field_firstName", dailystory_customers_changes.differs_field_city AS differs_field_city, dailystory_customers_changes.differs_custom_plan AS differs_custom_plan, dailystory_customers_changes.dropped_fields AS dropped_fields, dailystory_customers_changes.outcome AS outcome, dailystory_customers_changes.reason AS reason, dailystory_customers_changes.message AS message, dailystory_customers_changes.attempts AS attempts, dailystory_customers_changes.answered_at AS answered_at 
FROM dailystory_customers_changes 
WHERE dailystory_customers_changes.plan_id = ? AND dailystory_customers_changes.outcome IS NULL AND dailystory_customers_changes.operation = ?) AS recorded WHERE dailystory_customers_snapshot.customer_id = recorded.customer_id;

UPDATE dailystory_customers_snapshot SET field_email=CASE WHEN sent.replaced THEN sent.field_email WHEN sent.differs_field_email THEN sent.field_email ELSE dailystory_customers_snapshot.field_email END, "field_firstName"=CASE WHEN sent.replaced THEN sent."field_firstName" WHEN sent."differs_field_firstName" THEN sent."field_firstName" ELSE dailystory_customers_snapshot."field_firstName" END, field_city=CASE WHEN sent.replaced THEN sent.field_city WHEN sent.differs_field_city THEN sent.field_city ELSE dailystory_customers_snapshot.field_city END, "field_lastName"=CASE WHEN sent.replaced THEN sent."field_lastName" WHEN sent."differs_field_lastName" THEN sent."field_lastName" ELSE dailystory_customers_snapshot."field_lastName" END, custom_plan=CASE WHEN sent.replaced THEN coalesce(sent.custom_plan, dailystory_customers_snapshot.custom_plan) WHEN sent.differs_custom_plan THEN sent.custom_plan ELSE dailystory_customers_snapshot.custom_plan END, identity_email=coalesce(sent.identity_email, dailystory_customers_snapshot.identity_email), identity_mobile=coalesce(sent.identity_mobile, dailystory_customers_snapshot.identity_mobile), partition_value=coalesce(sent.partition_value, dailystory_customers_snapshot.partition_value), resend_all=0, unknown_fields=NULL, absent_since=NULL, absent_action=NULL, acknowledged_plan=?, only_mapped=0 FROM (SELECT dailystory_customers_changes.customer_id AS customer_id, dailystory_customers_changes.field_email AS field_email, dailystory_customers_changes.differs_field_email AS differs_field_email, dailystory_customers_changes."field_firstName" AS "field_firstName", dailystory_customers_changes."differs_field_firstName" AS "differs_field_firstName", dailystory_customers_changes.field_city AS field_city, dailystory_customers_changes.differs_field_city AS differs_field_city, dailystory_customers_changes."field_lastName" AS "field_lastName", dailystory_customers_changes."differs_field_lastName" AS "differs_field_lastName", dailystory_customers_changes.custom_plan AS custom_plan, dailystory_customers_changes.differs_custom_plan AS differs_custom_plan, dailystory_customers_changes.identity_email AS identity_email, dailystory_customers_changes.identity_mobile AS identity_mobile, dailystory_customers_changes.partition_value AS partition_value, dailystory_customers_changes.dropped_fields AS dropped_fields, dailystory_customers_answers.is_other_contact AS is_other_contact, dailystory_customers_changes.replaces = 1 OR coalesce(dailystory_customers_answers.replaced, 0) = 1 AS replaced 
FROM dailystory_customers_changes JOIN dailystory_customers_answers ON dailystory_customers_answers.sequence = dailystory_customers_changes.sequence 
WHERE dailystory_customers_changes.plan_id = ? AND dailystory_customers_changes.sequence IN (SELECT dailystory_customers_answers.sequence 
FROM dailystory_customers_answers) AND dailystory_customers_answers.outcome IN (?)) AS sent WHERE dailystory_customers_snapshot.customer_id = sent.customer_id;

UPDATE dailystory_customers_snapshot SET field_email=CASE WHEN sent.replaced THEN sent.field_email WHEN sent.differs_field_email THEN sent.field_email ELSE dailystory_customers_snapshot.field_email END, "field_firstName"=CASE WHEN sent.replaced THEN sent."field_firstName" WHEN sent."differs_field_firstName" THEN sent."field_firstName" ELSE dailystory_customers_snapshot."field_firstName" END, field_city=CASE WHEN sent.replaced THEN sent.field_city WHEN sent.differs_field_city THEN sent.field_city ELSE dailystory_customers_snapshot.field_city END, custom_plan=CASE WHEN sent.replaced THEN coalesce(sent.custom_plan, dailystory_customers_snapshot.custom_plan) WHEN sent.differs_custom_plan THEN sent.custom_plan ELSE dailystory_customers_snapshot.custom_plan END, identity_email=coalesce(sent.identity_email, dailystory_customers_snapshot.identity_email), identity_mobile=coalesce(sent.identity_mobile, dailystory_customers_snapshot.identity_mobile), partition_value=coalesce(sent.partition_value, dailystory_customers_snapshot.partition_value), resend_all=0, unknown_fields=NULL, absent_since=NULL, absent_action=NULL, acknowledged_plan=?, only_mapped=0 FROM (SELECT dailystory_customers_changes.customer_id AS customer_id, dailystory_customers_changes.field_email AS field_email, dailystory_customers_changes.differs_field_email AS differs_field_email, dailystory_customers_changes."field_firstName" AS "field_firstName", dailystory_customers_changes."differs_field_firstName" AS "differs_field_firstName", dailystory_customers_changes.field_city AS field_city, dailystory_customers_changes.differs_field_city AS differs_field_city, dailystory_customers_changes.custom_plan AS custom_plan, dailystory_customers_changes.differs_custom_plan AS differs_custom_plan, dailystory_customers_changes.identity_email AS identity_email, dailystory_customers_changes.identity_mobile AS identity_mobile, dailystory_customers_changes.partition_value AS partition_value, dailystory_customers_changes.dropped_fields AS dropped_fields, dailystory_customers_answers.is_other_contact AS is_other_contact, dailystory_customers_changes.replaces = 1 OR coalesce(dailystory_customers_answers.replaced, 0) = 1 AS replaced 
FROM dailystory_customers_changes JOIN dailystory_customers_answers ON dailystory_customers_answers.sequence = dailystory_customers_changes.sequence 
WHERE dailystory_customers_changes.plan_id = ? AND dailystory_customers_changes.sequence IN (SELECT dailystory_customers_answers.sequence 
FROM dailystory_customers_answers) AND dailystory_customers_answers.outcome IN (?)) AS sent WHERE dailystory_customers_snapshot.customer_id = sent.customer_id;

UPDATE dailystory_meta SET heartbeat_at=? WHERE dailystory_meta.name = ? AND dailystory_meta.fence = ?;

UPDATE dailystory_meta SET holder=? WHERE dailystory_meta.name = ? AND dailystory_meta.fence = ?;

UPDATE dailystory_meta SET holder=?, fence=?, heartbeat_at=?, run_id=?, taken_at=? WHERE dailystory_meta.name = ? AND dailystory_meta.fence = ? AND dailystory_meta.heartbeat_at = ?;

UPDATE dailystory_meta SET value=? WHERE dailystory_meta.name = ?;

UPDATE dailystory_plans SET left_priority=?, left_sequence=? WHERE dailystory_plans.plan_id = ? AND (dailystory_plans.left_priority IS NULL OR dailystory_plans.left_priority < ? OR dailystory_plans.left_priority = ? AND dailystory_plans.left_sequence < ?);

UPDATE dailystory_plans SET status=? WHERE dailystory_plans.plan_id IN (SELECT 1 FROM (SELECT 1) WHERE 1!=1);

UPDATE dailystory_plans SET status=?, finished_at=? WHERE dailystory_plans.plan_id = ? AND dailystory_plans.status = ?;

UPDATE dailystory_plans SET status=?, sent_at=? WHERE dailystory_plans.plan_id = ? AND dailystory_plans.status = ?;
