-- Months of the tables that are cut by month, made by whoever may call this: each start does, as the owner of the
-- schema, and so does the running service, which has no right to make tables itself (decision 0014).
CREATE OR REPLACE FUNCTION months_kept()
RETURNS TABLE (whole text, kept_until timestamptz, has_rest boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path FROM CURRENT
SET timezone = 'UTC'
AS $$
DECLARE
    cut record;
BEGIN
    FOR cut IN
        SELECT n.nspname AS place, c.relname AS name,
            max((regexp_match(pg_get_expr(p.relpartbound, p.oid), ' TO \(''([^'']+)''\)'))[1]::timestamptz) AS ends_at
        FROM pg_class AS c
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
        JOIN pg_inherits AS i ON i.inhparent = c.oid
        JOIN pg_class AS p ON p.oid = i.inhrelid
        WHERE c.relkind = 'p' AND n.nspname = ANY (current_schemas(false))
            AND pg_get_userbyid(c.relowner) = current_user
        GROUP BY n.nspname, c.relname
        ORDER BY n.nspname, c.relname
    LOOP
        whole := format('%I.%I', cut.place, cut.name);
        kept_until := cut.ends_at;
        EXECUTE format('SELECT EXISTS (SELECT FROM %I.%I)', cut.place, cut.name || '_rest') INTO has_rest;
        RETURN NEXT;
    END LOOP;
END
$$;

-- Makes the months from the running one to three after that of the given time, which may lie 40 days ahead of the
-- database's clock and no more. Returns the part that was made, or what stood in the way of it: nothing else is undone
-- by that, and rows of the month are in the rest meanwhile.
CREATE OR REPLACE FUNCTION keep_months(timestamptz)
RETURNS TABLE (part text, failure text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path FROM CURRENT
SET timezone = 'UTC'
SET lock_timeout = '2s'
AS $$
DECLARE
    ahead timestamptz := greatest(now(), least($1, now() + interval '40 days'));
    last_month timestamptz := date_trunc('month', ahead) + interval '3 months';
    cut record;
    month timestamptz;
    rest text;
    made text;
    within text;
    is_filled boolean;
    reader text;
BEGIN
    FOR cut IN
        SELECT n.nspname AS place, c.relname AS name, a.attname AS moment, (
                SELECT string_agg(quote_ident(f.attname), ', ' ORDER BY f.attnum)
                FROM pg_attribute AS f WHERE f.attrelid = c.oid AND f.attnum > 0 AND NOT f.attisdropped
            ) AS columns
        FROM pg_partitioned_table AS t
        JOIN pg_class AS c ON c.oid = t.partrelid
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
        JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = t.partattrs[0]
        WHERE n.nspname = ANY (current_schemas(false)) AND pg_get_userbyid(c.relowner) = current_user
        ORDER BY n.nspname, c.relname
    LOOP
        rest := format('%I.%I', cut.place, cut.name || '_rest');
        SELECT greatest(date_trunc('month', now()), k.kept_until) INTO month
        FROM months_kept() AS k WHERE k.whole = format('%I.%I', cut.place, cut.name);
        CONTINUE WHEN month > last_month;
        BEGIN
            -- One at a time, and nobody who reads or writes waits for it. Another may have made the month meanwhile.
            EXECUTE format('LOCK TABLE %I.%I IN SHARE UPDATE EXCLUSIVE MODE', cut.place, cut.name);
            SELECT greatest(date_trunc('month', now()), k.kept_until) INTO month
            FROM months_kept() AS k WHERE k.whole = format('%I.%I', cut.place, cut.name);
        EXCEPTION WHEN lock_not_available THEN
            part := cut.name;
            failure := SQLERRM;
            RETURN NEXT;
            CONTINUE;
        END;
        WHILE month <= last_month LOOP
            part := cut.name || to_char(month, '"_p"YYYY_MM');
            failure := '';
            made := format('%I.%I', cut.place, part);
            within := format('%1$I >= %2$L AND %1$I < %3$L', cut.moment, month, month + interval '1 month');
            BEGIN
                EXECUTE format('CREATE TABLE %s (LIKE %I.%I INCLUDING ALL)', made, cut.place, cut.name);
                EXECUTE format('SELECT EXISTS (SELECT FROM %s WHERE %s)', rest, within) INTO is_filled;
                IF is_filled THEN
                    EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', rest);
                    EXECUTE format(
                        'WITH moved AS (DELETE FROM %1$s WHERE %2$s RETURNING %4$s) '
                        'INSERT INTO %3$s (%4$s) SELECT %4$s FROM moved',
                        rest, within, made, cut.columns
                    );
                END IF;
                EXECUTE format(
                    'ALTER TABLE %I.%I ATTACH PARTITION %s FOR VALUES FROM (%L) TO (%L)',
                    cut.place, cut.name, made, month, month + interval '1 month'
                );
                FOR reader IN
                    SELECT pg_get_userbyid(x.grantee)
                    FROM pg_class AS c, aclexplode(c.relacl) AS x
                    WHERE c.oid = rest::regclass AND x.privilege_type = 'SELECT' AND x.grantee <> c.relowner
                LOOP
                    EXECUTE format('GRANT SELECT ON %s TO %I', made, reader);
                END LOOP;
            EXCEPTION WHEN OTHERS THEN
                failure := SQLERRM;
            END;
            RETURN NEXT;
            EXIT WHEN failure <> ''; -- a month after it would hide that this one is missing
            month := month + interval '1 month';
        END LOOP;
    END LOOP;
END
$$;
