ALTER TABLE dailystory_customers_changes ADD COLUMN "differs_field_lastName" BOOLEAN;

ALTER TABLE dailystory_customers_changes ADD COLUMN "field_lastName" TEXT;

ALTER TABLE dailystory_customers_changes ADD COLUMN field_city INTEGER;

ALTER TABLE dailystory_customers_changes DROP COLUMN field_city;

ALTER TABLE dailystory_customers_snapshot ADD COLUMN "field_lastName" TEXT;

ALTER TABLE dailystory_customers_snapshot ADD COLUMN retyped_field_city INTEGER;

ALTER TABLE dailystory_customers_snapshot DROP COLUMN field_city;

ALTER TABLE dailystory_customers_snapshot RENAME COLUMN retyped_field_city TO field_city;

CREATE INDEX dailystory_customers_contact_map_759c46fa ON dailystory_customers_contact_map (dsid);

CREATE INDEX dailystory_customers_judged_sequence ON dailystory_customers_judged (sequence);

CREATE INDEX dailystory_customers_pending_sequence ON dailystory_customers_pending (sequence);

CREATE INDEX dailystory_customers_rejections_9a0e715d ON dailystory_customers_rejections (customer_id);

CREATE INDEX dailystory_customers_snapshot_55a2a2ee ON dailystory_customers_snapshot (identity_mobile);

CREATE INDEX dailystory_customers_snapshot_906ac4cb ON dailystory_customers_snapshot (partition_value, customer_id) WHERE partition_value IS NOT NULL;

CREATE INDEX dailystory_customers_snapshot_b33e3ec5 ON dailystory_customers_snapshot (identity_email);

CREATE INDEX dailystory_customers_snapshot_b776f494 ON dailystory_customers_snapshot (absent_since) WHERE absent_since IS NOT NULL;

CREATE TABLE dailystory_customers_adoption (
	customer_id INTEGER NOT NULL,
	outcome TEXT,
	dsid TEXT,
	differing TEXT,
	looked_up_at TIMESTAMP WITHOUT TIME ZONE
);

CREATE TABLE dailystory_customers_changes (
	plan_id TEXT NOT NULL,
	sequence BIGINT NOT NULL,
	customer_id INTEGER,
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
	customer_id INTEGER NOT NULL,
	dsid TEXT NOT NULL,
	first_synced_at TIMESTAMP WITHOUT TIME ZONE,
	last_synced_at TIMESTAMP WITHOUT TIME ZONE,
	deactivated_at TIMESTAMP WITHOUT TIME ZONE,
	deleted_at TIMESTAMP WITHOUT TIME ZONE,
	deleted_in_dailystory_at TIMESTAMP WITHOUT TIME ZONE,
	PRIMARY KEY (customer_id)
);

CREATE TABLE dailystory_customers_hash_sums (
	key_bucket BIGINT,
	hashes BIGINT,
	high BIGINT,
	low BIGINT
);

CREATE TABLE dailystory_customers_history (
	customer_id INTEGER NOT NULL,
	plan_id TEXT,
	run_id TEXT,
	dsid TEXT,
	operation TEXT,
	outcome TEXT,
	before TEXT,
	after TEXT,
	acknowledged_at TIMESTAMP WITHOUT TIME ZONE
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
	customer_id INTEGER,
	reason TEXT,
	message TEXT,
	fingerprint TEXT,
	partition_value TEXT,
	opts_out BOOLEAN,
	source_rows BIGINT,
	attempts BIGINT,
	first_seen_at TIMESTAMP WITHOUT TIME ZONE,
	last_seen_at TIMESTAMP WITHOUT TIME ZONE
);

CREATE TABLE dailystory_customers_row_hashes (
	customer_id INTEGER NOT NULL,
	row_hash BIGINT,
	key_bucket BIGINT,
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
	empty_fields TEXT,
	kept_fields TEXT,
	absent_since TIMESTAMP WITHOUT TIME ZONE,
	absent_action TEXT,
	acknowledged_plan BIGINT,
	only_mapped BOOLEAN,
	identity_email_hash TEXT,
	identity_mobile_hash TEXT,
	PRIMARY KEY (customer_id)
);

CREATE TABLE dailystory_forgotten (
	sync_name TEXT NOT NULL,
	kind TEXT NOT NULL,
	hash TEXT NOT NULL,
	forgotten_at TIMESTAMP WITHOUT TIME ZONE NOT NULL,
	PRIMARY KEY (sync_name, hash)
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
	compared TEXT,
	compared_why TEXT,
	superseded_by TEXT,
	approved_by TEXT,
	canary_found TEXT,
	canary_accepted_by TEXT,
	number BIGINT,
	rows_read BIGINT,
	rows_unchanged BIGINT,
	rows_to_create BIGINT,
	rows_to_update BIGINT,
	rows_to_delete BIGINT,
	opt_outs_to_send BIGINT,
	opt_outs_ahead BIGINT,
	opt_outs_pending BIGINT,
	rows_rejected BIGINT,
	rows_held BIGINT,
	rows_delete_skipped_shared BIGINT,
	rows_transferred BIGINT,
	keys_transferred BIGINT,
	bytes_read BIGINT,
	live_keys BIGINT,
	whole_source BOOLEAN,
	first_load BOOLEAN,
	diff_seconds FLOAT(53),
	created_at TIMESTAMP WITHOUT TIME ZONE,
	expires_at TIMESTAMP WITHOUT TIME ZONE,
	approved_at TIMESTAMP WITHOUT TIME ZONE,
	sent_at TIMESTAMP WITHOUT TIME ZONE,
	finished_at TIMESTAMP WITHOUT TIME ZONE,
	left_priority BIGINT,
	left_sequence BIGINT,
	PRIMARY KEY (plan_id)
);

CREATE TABLE dailystory_rate (
	destination TEXT NOT NULL,
	requests_per_second FLOAT(53),
	ceiling FLOAT(53),
	is_ramping BOOLEAN,
	paused_until FLOAT(53),
	lowered_at FLOAT(53),
	stepped_at FLOAT(53),
	confirmed_at FLOAT(53),
	version BIGINT,
	next_at FLOAT(53),
	seen_at FLOAT(53),
	counted_from FLOAT(53),
	sent BIGINT,
	sent_before BIGINT,
	refused BIGINT,
	refused_before BIGINT,
	PRIMARY KEY (destination)
);

CREATE TABLE dailystory_runs (
	run_id TEXT,
	plan_id TEXT,
	sync_name TEXT,
	partition_value TEXT,
	outcome TEXT,
	stopped_by TEXT,
	started_at TIMESTAMP WITHOUT TIME ZONE,
	finished_at TIMESTAMP WITHOUT TIME ZONE,
	opt_outs_pending BIGINT,
	rows_delete_skipped_shared BIGINT,
	rows_created BIGINT,
	rows_updated BIGINT,
	rows_deleted BIGINT,
	rows_mapped BIGINT,
	rows_matched BIGINT,
	opt_outs_sent BIGINT,
	rows_refused BIGINT,
	rows_failed BIGINT,
	rows_unsent BIGINT,
	rows_in_doubt BIGINT,
	rows_conflicted BIGINT,
	rows_deleted_in_dailystory BIGINT,
	rows_skipped BIGINT,
	rows_delete_waiting BIGINT,
	rows_delete_returned BIGINT,
	api_requests BIGINT,
	api_retries BIGINT,
	api_throttled BIGINT,
	send_seconds FLOAT(53)
);
