-- One row for each customer. definitions.py maps these columns to DailyStory's contact fields and custom fields.
-- A column that is not listed here, such as last_seen_at, may change without anything being sent.
select
    customer_id,
    email,
    mobile_phone,
    first_name,
    last_name,
    city,
    region,
    postal_code,
    plan,
    lifetime_value,
    signed_up_at,
    marketing_opt_out,
    loyalty_id
from customers
