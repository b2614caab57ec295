-- +goose Up
-- modify "messages" table
ALTER TABLE "messages" DROP CONSTRAINT "messages_mailboxes_messages";
