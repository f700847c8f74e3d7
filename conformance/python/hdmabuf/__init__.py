# SPDX-License-Identifier: MIT
"""A hyper-dmabuf peer that was written from the specification alone.

It speaks version 1 of the protocol over the local binding (``local:PATH``), as frontend or
backend.  Python 3.11 or later on Linux, and nothing but the standard library.  From the bottom up:

    wire        numbers, structures, the order of faults
    memory      Window, OwnMemory: the other's and this end's
    local       Connection: packets, records, references, notification
    rings       Requester, Responder, Timeline
    descriptors descriptors and directories, and how they are checked
    buffers     Buffer, HandOff: what a session keeps
    answers     Answers: what the other end is answered
    session     Session: this end's requests, buffers, timelines; Application
    link        Link: epochs, offers, answers, loss; Peer: the loop around it
    pictures    applications that export pictures, and import them
    control     an application that does what it is told, by the control protocol

One thread does everything, and nothing blocks.  Identifiers in brackets name the clauses of the
specification that a piece of code obeys.
"""
