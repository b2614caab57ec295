-- +goose Up
-- create "invites" table
CREATE TABLE `invites` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `hash` blob NOT NULL, `expires_at` integer NOT NULL);
-- create index "invites_hash_key" to table: "invites"
CREATE UNIQUE INDEX `invites_hash_key` ON `invites` (`hash`);
-- create index "invite_expires_at" to table: "invites"
CREATE INDEX `invite_expires_at` ON `invites` (`expires_at`);
