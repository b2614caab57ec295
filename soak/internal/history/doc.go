// Package history holds what clients asked of a server and what they were answered, line by line, and checks it against the
// delivery contract. It knows nothing of how the server works: a rule is what a client can see.
//
// An event is written down when the client knows of it: a call before its first byte leaves, an answer once its last byte has
// come. So whatever happened in between did so at some point between the two lines, and the rules take every such point as good:
// a breach is one whatever the clocks and the network did.
//
// The rules:
//
//   - lost: an envelope that was answered STORED is in the mailbox until its device acknowledges it. A reading that reaches the
//     mailbox's end has shown every envelope whose answer came before the reading began. No envelope comes after one whose send
//     began only when the first one's answer was known.
//   - twice: of a message one envelope comes into a mailbox, however often the call was repeated: it has one position for good.
//   - acknowledged: a reading that began after the answer to an acknowledgement shows nothing up to there.
//   - order: the positions of a reading grow.
//   - gap: they grow by one; positions may be missing only if an acknowledgement was asked for that covers them. So the first
//     sights of a mailbox are 1, 2, 3 ….
//   - changed: what is shown again at a position is what was shown there before.
//   - content: an envelope is what its sender sent to this device.
//   - invented: somebody sent it.
//   - refused: what was refused in every try, for certain, does not come.
//   - answer: a repeated call has the same answer. An acknowledgement removes no more than it covers, and repeated nothing.
//   - removed: what was first sent after a device's removal was answered is not stored for it. A reading that began then shows
//     nothing. Its own new calls store nothing.
//
// Redelivery is no breach: what is not acknowledged comes again in every reading that starts before it.
package history
