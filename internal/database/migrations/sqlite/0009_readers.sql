-- +goose Up
-- By hand: the column is added in place. The draft made the table anew and copied every mailbox.
ALTER TABLE `mailboxes` ADD COLUMN `reader` integer NOT NULL DEFAULT (0);
