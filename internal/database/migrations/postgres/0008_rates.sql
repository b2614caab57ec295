-- +goose Up
-- modify "stores" table
ALTER TABLE "stores" ADD COLUMN "rate_key" bytea NULL;
-- create "rates" table
-- By hand: what ent has no words for. Unlogged: what is counted is worth minutes, and so it reaches no write-ahead log, no archive, no
-- replica and no base backup; a crash of PostgreSQL forgets it. Rows are updated in place beside each other (HOT): nothing but the
-- key is indexed.
CREATE UNLOGGED TABLE "rates" ("id" bigint NOT NULL, "until" bigint NOT NULL, PRIMARY KEY ("id")) WITH (fillfactor = 50);
