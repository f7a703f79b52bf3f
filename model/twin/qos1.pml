/*
 * The twin: the QoS 1 core of the checker once more, in Promela for SPIN.
 *
 * An independent check of the checker. `run`, beside this file, explores both and compares two numbers exactly: how many
 * different states there are, and how many steps lead from one state to another. A rule that either of the two understands
 * differently, a state that either of them splits or merges wrongly, moves a number.
 *
 * The world is that of the scenarios `broken-link` and `fan-out`: SUBSCRIBERS clients subscribe to one topic at QoS 1, with a
 * Receive Maximum of WINDOW; one client publishes MESSAGES messages at QoS 1. A connection of a subscriber breaks up to
 * BREAKS times, at any moment after its CONNACK; if LASTING, its session outlives it. All but
 * WINDOW and WIRE are given with -D.
 *
 * Mirrored:
 *  - the client: its script, at most WIRE packets on their way to the server in order, what it has not acknowledged, PUBACK
 *    in the order of delivery, a new connection after a lost one, SUBSCRIBE once more if it was not answered;
 *  - the server: CONNECT beside a connection that it still believes in (the older one is then closed), Session Present,
 *    answers owed in any order, a subscription whose SUBACK is not sent yet, for each message whether its delivery waits, was
 *    perhaps sent, is open, or went unacknowledged on an earlier connection, with the lowest free identifier; order in the
 *    lane of the publisher; Receive Maximum; packets sent to a client that is gone;
 *  - the watcher's notes, as far as QoS 1 can write them: they are part of a state.
 * Not mirrored, because it never changes in these worlds: notes on QoS 0 and UNSUBSCRIBE, the notes on the publisher, offences,
 * time, wills, retained messages, aliases. What follows from other variables here and is stored there adds no states:
 * how many connections a client has opened, what the publisher's messages are called.
 *
 * One process, one loop: each option is one action of the checker, in a d_step, so a step there is a step here. SPIN's
 * `states, stored` are the checker's unique states; its `transitions (= stored+matched)` count the initial state as stored, as
 * the checker counts it as generated. Partial order reduction has to be off. Scratch variables are hidden: no part of a state.
 *
 * Claims are options without successor, or assertions, so they add no steps as long as they hold. Each BUG breaks one; the
 * names are those of `mqttspec check --bug`, in capitals. A MISREADING breaks none, but moves the counts.
 */

#ifndef MESSAGES
#define MESSAGES 3
#endif
#ifndef SUBSCRIBERS
#define SUBSCRIBERS 1
#endif
#ifndef BREAKS
#define BREAKS 1
#endif
#ifndef LASTING
#define LASTING 1
#endif
#define WINDOW 2
#define WIRE 2

#if MESSAGES > 6 || SUBSCRIBERS > 2 || BREAKS > 2
#error "at most 6 messages, 2 subscribers and 2 broken connections: more need more lines in the loop"
#endif
#if BREAKS > 0 && !LASTING
#error "a session that ends with its connection is not mirrored: set BREAKS to 0"
#endif

/* Bugs that can be planted: -DBUG=DROPS_WHILE_DISCONNECTED */
#define DROPS_WHILE_DISCONNECTED 1
#define FORGETS_UNACKNOWLEDGED 2
#define IGNORES_RECEIVE_MAXIMUM 3
#define REPEATS_WITHOUT_DUP 4
#define REUSES_IDENTIFIERS 5
#define DENIES_SESSION 6
#ifndef BUG
#define BUG 0
#endif

/* Readings of the rules that break no claim, and yet are not those of the checker: only the counts tell. */
#define KEEPS_WAITING 1                 /* what waits when a connection is lost has certainly not been sent */
#define ANSWERS_IN_ORDER 2              /* PUBACKs come in the order of their PUBLISH packets */
#define CLOSES_OLDER_AT_ONCE 3          /* an older connection is closed in the same step in which it is replaced */
#ifndef MISREADING
#define MISREADING 0
#endif

/* Packets on their way to the server. */
mtype = { CONNECT, SUBSCRIBE, PUBLISH, PUBACK };

/* A connection as the server has it. */
#define NONE 0
#define CONNECTING 1
#define CONNECTED 2

/* A subscription as the server has it. */
#define PENDING 1
#define CONFIRMED 2

/* A subscriber: connections are numbered from 1, messages from 0; sets of messages are masks. */
typedef Client {
    byte link;              /* its connection; 0: none */
    bit connected;          /* CONNACK has come */
    byte broken;            /* how many connections it has lost */
    bit asked;              /* SUBSCRIBE is sent, */
    bit asking              /* and SUBACK has not come */
};

/* What the server holds for a subscriber. */
typedef Session {
    byte link;              /* the connection; 0: none */
    byte phase;             /* how far it is */
    bit present;            /* what Session Present of the CONNACK will say */
    byte older;             /* connections that were replaced and are not closed yet, a mask */
    bit kept;               /* there is session state */
    byte subscription;
    bit suback;             /* SUBACK is owed */
    byte held;              /* messages for the client */
    byte doubtful;          /* of them: never sent for certain, perhaps sent on a connection that broke */
    byte open;              /* of them: sent on this connection */
    byte inflight;          /* how many are open */
    byte id[MESSAGES]       /* their identifiers, once they are sent */
};

/* What the watcher has noted of a subscriber. */
typedef Notes {
    bit stored;             /* the server holds state that outlives a connection */
    bit present;            /* what Session Present has to say */
    bit subscribed;         /* SUBACK was seen */
    byte eligible;          /* messages published since then, */
    byte must;              /* those of them that were acknowledged, */
    byte got;               /* and messages that came */
    byte first[MESSAGES];   /* the identifier with which each came first */
    bit repeated;           /* a delivery was repeated, */
    bit resumed;            /* a session was resumed, */
    bit window_full         /* the window was full: at least once */
};

Client client[SUBSCRIBERS];
Session session[SUBSCRIBERS];
Notes notes[SUBSCRIBERS];
chan wire[SUBSCRIBERS] = [WIRE] of { mtype, byte };
chan unacknowledged[SUBSCRIBERS] = [MESSAGES] of { byte, byte };     /* identifier and message, oldest first */

/* The publisher and its session: no connection of it breaks. */
bit publishing;             /* it has connected, */
bit welcome;                /* and has seen its CONNACK */
byte published;             /* how many messages it has sent */
byte unanswered;            /* those of them without PUBACK */
byte service;               /* its connection as the server has it */
byte answers;               /* PUBACKs that the server owes */
chan line = [WIRE] of { mtype, byte };

hidden byte i;
hidden byte message;
hidden byte number;
hidden byte fresh;
hidden byte flag;

#define BIT(number) (1 << (number))
#define WAITING(s) (session[s].held & ~session[s].open)
#if BUG == IGNORES_RECEIVE_MAXIMUM
#define ROOM(s) true
#else
#define ROOM(s) (session[s].inflight < WINDOW)
#endif
#define MAY_DELIVER(s) (session[s].phase == CONNECTED && WAITING(s) != 0 && ROOM(s))
#define IS_GONE(s) (session[s].link != 0 && session[s].link != client[s].link)
#define IS_SEEN(s) (session[s].link == client[s].link)

/* The server's connection is gone: what was open is unacknowledged, and whatever waits may have been sent. */
inline lose(s) {
    for (i : 0 .. MESSAGES - 1) {
        if
        :: BUG == FORGETS_UNACKNOWLEDGED && (session[s].open & BIT(i)) ->
            session[s].held = session[s].held & ~BIT(i);
            session[s].id[i] = 0
        :: else
        fi;
        if
        :: (session[s].held & BIT(i)) && session[s].id[i] == 0 && MISREADING != KEEPS_WAITING ->
            session[s].doubtful = session[s].doubtful | BIT(i)
        :: else
        fi
    }
    session[s].open = 0;
    session[s].inflight = 0;
    session[s].link = 0;
    session[s].phase = NONE;
    session[s].present = 0;
    session[s].suback = 0
}

/* The server reads the next packet of a subscriber. */
inline take(s) {
    if
    :: wire[s]?CONNECT(number) ->
        if
        :: session[s].link != 0 ->
            session[s].older = session[s].older | (MISREADING == CLOSES_OLDER_AT_ONCE -> 0 : BIT(session[s].link));
            lose(s)
        :: else
        fi;
        session[s].link = number;
        session[s].phase = CONNECTING;
        session[s].present = (LASTING && session[s].kept);
        session[s].kept = 1;
        notes[s].present = (LASTING && notes[s].stored);
        notes[s].stored = LASTING
    :: wire[s]?SUBSCRIBE(_) ->
        assert(IS_SEEN(s) && session[s].phase == CONNECTED);
        session[s].subscription = PENDING;
        session[s].suback = 1
    :: wire[s]?PUBACK(number) ->
        assert(IS_SEEN(s) && session[s].phase == CONNECTED);
        i = 0;
        do
        :: i < MESSAGES && session[s].id[i] != number -> i++
        :: else -> break
        od;
        /* A client acknowledges only what is open. */
        assert(i < MESSAGES);
        assert(session[s].open & BIT(i));
        session[s].held = session[s].held & ~BIT(i);
        session[s].open = session[s].open & ~BIT(i);
        session[s].inflight--;
        session[s].id[i] = 0
    fi
}

/* The subscriber gets a message, and the watcher looks on. */
inline see(s) {
    /* Messages of one publisher arrive in order. */
    assert((notes[s].got & BIT(message)) || !(notes[s].eligible & (BIT(message) - 1) & notes[s].must & ~notes[s].got));
    notes[s].got = notes[s].got | BIT(message);
    /* Identifiers of open deliveries are unique. */
    assert(!unacknowledged[s]??[eval(number), _]);
    /* No more deliveries are open than Receive Maximum. */
    assert(len(unacknowledged[s]) < WINDOW);
    if
    :: len(unacknowledged[s]) + 1 == WINDOW -> notes[s].window_full = 1
    :: else
    fi;
    if
    :: notes[s].first[message] == 0 -> notes[s].first[message] = number
    :: else ->
        /* A repeated delivery has DUP and its identifier. */
        assert(flag && notes[s].first[message] == number);
        notes[s].repeated = 1
    fi;
    unacknowledged[s]!number, message
}

/* The server sends the first message that waits: order is kept. */
inline deliver(s) {
    message = 0;
    do
    :: !(WAITING(s) & BIT(message)) -> message++
    :: else -> break
    od;
    flag = (session[s].id[message] != 0 && BUG != REPEATS_WITHOUT_DUP);
    if
    :: session[s].id[message] == 0 ->
        /* The lowest identifier that is free. */
        number = 1;
        do
        :: BUG == REUSES_IDENTIFIERS -> break
        :: else ->
            fresh = number;
            for (i : 0 .. MESSAGES - 1) {
                if
                :: session[s].id[i] == number -> fresh = 0
                :: else
                fi
            }
            if
            :: fresh != 0 -> break
            :: else -> number++
            fi
        od;
        session[s].id[message] = number
    :: else -> number = session[s].id[message]
    fi;
    session[s].doubtful = session[s].doubtful & ~BIT(message);
    session[s].open = session[s].open | BIT(message);
    session[s].inflight++;
    if
    :: IS_SEEN(s) -> see(s)
    :: else
    fi
}

/* The connection of a subscriber breaks, with all that was on it. What was not answered will be asked again. */
inline sever(s) {
    do
    :: len(wire[s]) > 0 -> wire[s]?_, _
    :: else -> break
    od;
    do
    :: len(unacknowledged[s]) > 0 -> unacknowledged[s]?_, _
    :: else -> break
    od;
    if
    :: client[s].asking -> client[s].asked = 0
    :: else
    fi;
    client[s].asking = 0;
    client[s].connected = 0;
    client[s].link = 0;
    client[s].broken++
}

/* A message meets the subscriptions. */
inline route(s) {
    if
    :: session[s].subscription != NONE && !(BUG == DROPS_WHILE_DISCONNECTED && session[s].link == 0) ->
        session[s].held = session[s].held | BIT(message)
    :: else
    fi
}

#define NOTE_PUBLISHED(s) notes[s].eligible = notes[s].eligible | (notes[s].subscribed -> BIT(published) : 0)
#define NOTE_ANSWERED(s, m) notes[s].must = notes[s].must | (notes[s].subscribed -> notes[s].eligible & BIT(m) : 0)

/* All that can happen around one subscriber. */
#define SUBSCRIBER(s) \
    /* It sends: CONNECT, SUBSCRIBE, PUBACK of the oldest delivery. */ \
    :: d_step { client[s].link == 0 -> \
        client[s].link = client[s].broken + 1; wire[s]!CONNECT(client[s].link) } \
    :: d_step { client[s].connected && !client[s].asked && len(wire[s]) < WIRE -> \
        client[s].asked = 1; client[s].asking = 1; wire[s]!SUBSCRIBE(0) } \
    :: d_step { len(unacknowledged[s]) > 0 && len(wire[s]) < WIRE -> \
        unacknowledged[s]?number, _; wire[s]!PUBACK(number) } \
    /* Its connection breaks, and the server notices. */ \
    :: d_step { client[s].connected && client[s].broken < BREAKS -> sever(s) } \
    :: d_step { IS_GONE(s) -> lose(s) } \
    /* The server reads. */ \
    :: d_step { len(wire[s]) > 0 -> take(s) } \
    /* The server sends: CONNACK, SUBACK, PUBLISH. */ \
    :: d_step { session[s].phase == CONNECTING -> \
        assert(IS_SEEN(s)); \
        flag = (session[s].present && BUG != DENIES_SESSION); \
        /* Session Present tells the truth. */ \
        assert(flag == notes[s].present); \
        notes[s].resumed = notes[s].resumed | flag; \
        client[s].connected = 1; session[s].phase = CONNECTED; session[s].present = 0 } \
    :: d_step { session[s].phase == CONNECTED && session[s].suback -> \
        session[s].suback = 0; session[s].subscription = CONFIRMED; \
        if \
        :: IS_SEEN(s) -> client[s].asking = 0; notes[s].subscribed = 1 \
        :: else \
        fi } \
    :: d_step { MAY_DELIVER(s) -> deliver(s) }

/* The server closes an older connection. */
#define CLOSE(s, connection) \
    :: d_step { session[s].older & BIT(connection) -> session[s].older = session[s].older & ~BIT(connection) }

/* The publisher gets one of its answers. */
#if MISREADING == ANSWERS_IN_ORDER
#define IS_NEXT_ANSWER(m) !(answers & (BIT(m) - 1))
#else
#define IS_NEXT_ANSWER(m) true
#endif
#if SUBSCRIBERS > 1
#define NOTE_ANSWERED_BY_ALL(m) NOTE_ANSWERED(0, m); NOTE_ANSWERED(1, m)
#else
#define NOTE_ANSWERED_BY_ALL(m) NOTE_ANSWERED(0, m)
#endif
#define ANSWER(m) \
    :: d_step { (answers & BIT(m)) && IS_NEXT_ANSWER(m) -> \
        answers = answers & ~BIT(m); unanswered = unanswered & ~BIT(m); NOTE_ANSWERED_BY_ALL(m) }

/* Whether nothing more can happen than a broken connection. */
#define IS_SUBSCRIBER_AT_REST(s) \
    (client[s].link != 0 && !(client[s].connected && !client[s].asked) && len(unacknowledged[s]) == 0 && \
     len(wire[s]) == 0 && session[s].phase != CONNECTING && session[s].older == 0 && !session[s].suback && \
     !MAY_DELIVER(s) && !IS_GONE(s))
#define IS_PUBLISHER_AT_REST (welcome && published == MESSAGES && len(line) == 0 && answers == 0)
#define IS_LOST(s) (notes[s].must & ~notes[s].got)

active proctype world() {
end:
    do
    SUBSCRIBER(0)
#if BREAKS > 0
    CLOSE(0, 1)
#endif
#if BREAKS > 1
    CLOSE(0, 2)
#endif
#if SUBSCRIBERS > 1
    SUBSCRIBER(1)
#if BREAKS > 0
    CLOSE(1, 1)
#endif
#if BREAKS > 1
    CLOSE(1, 2)
#endif
#endif

    /* The publisher sends: CONNECT, then its messages without waiting for answers. */
    :: d_step { !publishing -> publishing = 1; line!CONNECT(0) }
    :: d_step { welcome && published < MESSAGES && len(line) < WIRE ->
        line!PUBLISH(published);
        unanswered = unanswered | BIT(published);
        NOTE_PUBLISHED(0);
#if SUBSCRIBERS > 1
        NOTE_PUBLISHED(1);
#endif
        published++ }

    /* The server reads. */
    :: d_step { len(line) > 0 ->
        if
        :: line?CONNECT(_) -> service = CONNECTING
        :: line?PUBLISH(message) ->
            answers = answers | BIT(message);
            route(0);
#if SUBSCRIBERS > 1
            route(1)
#endif
        fi }

    /* The server sends: CONNACK, and PUBACKs in any order. */
    :: d_step { service == CONNECTING -> service = CONNECTED; welcome = 1 }
    ANSWER(0)
#if MESSAGES > 1
    ANSWER(1)
#endif
#if MESSAGES > 2
    ANSWER(2)
#endif
#if MESSAGES > 3
    ANSWER(3)
#endif
#if MESSAGES > 4
    ANSWER(4)
#endif
#if MESSAGES > 5
    ANSWER(5)
#endif

    /* An acknowledged QoS 1 message reaches its subscriber. */
#if SUBSCRIBERS > 1
    :: (IS_LOST(0) || IS_LOST(1)) && IS_SUBSCRIBER_AT_REST(0) && IS_SUBSCRIBER_AT_REST(1) && IS_PUBLISHER_AT_REST ->
        assert(!IS_LOST(0) && !IS_LOST(1))
#else
    :: IS_LOST(0) && IS_SUBSCRIBER_AT_REST(0) && IS_PUBLISHER_AT_REST -> assert(!IS_LOST(0))
#endif
    od
}
