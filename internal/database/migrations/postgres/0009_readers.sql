-- +goose Up
-- modify "mailboxes" table
-- Not indexed, so that counting a subscription updates the row in place (HOT).
ALTER TABLE "mailboxes" ADD COLUMN "reader" bigint NOT NULL DEFAULT 0;
