-- +goose Up
-- add column "rate_key" to table: "stores"
ALTER TABLE `stores` ADD COLUMN `rate_key` blob NULL;
-- create "rates" table
CREATE TABLE `rates` (`id` integer NOT NULL, `until` integer NOT NULL, PRIMARY KEY (`id`));
