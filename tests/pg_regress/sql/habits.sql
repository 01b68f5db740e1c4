-- What people type out of habit from other query languages, and what is said about it. The table is also that of the unit tests
-- in src/habits/tests.rs: what was typed, what was meant, and a document that it was meant to find.
\set VERBOSITY terse
SELECT session_add('habits', key => 'id') \g /dev/null
CREATE TEMP TABLE habit (number serial, typed text, meant text, doc jsonb);
-- Neither character is in the text.
COPY habit (typed, meant, doc) FROM stdin WITH (FORMAT csv, DELIMITER E'\t', QUOTE E'\x02');
status>=400	status:[400 TO *]	{"status":500,"level":"error"}
status>400	status:{400 TO *]	{"status":500,"level":"error"}
status<600	status:[* TO 600}	{"status":500,"level":"error"}
status<=600	status:[* TO 600]	{"status":500,"level":"error"}
status=500	status:500	{"status":500,"level":"error"}
status==500	status:500	{"status":500,"level":"error"}
status===500	status:500	{"status":500,"level":"error"}
status!=404	-status:404	{"status":500,"level":"error"}
status<>404	-status:404	{"status":500,"level":"error"}
status >= 400	status:[400 TO *]	{"status":500,"level":"error"}
status = 500	status:500	{"status":500,"level":"error"}
status == 500	status:500	{"status":500,"level":"error"}
status != 404	-status:404	{"status":500,"level":"error"}
status <> 404	-status:404	{"status":500,"level":"error"}
status:>400	status:{400 TO *]	{"status":500,"level":"error"}
status:> 400	status:{400 TO *]	{"status":500,"level":"error"}
status:>= 400	status:[400 TO *]	{"status":500,"level":"error"}
status:<=600	status:[* TO 600]	{"status":500,"level":"error"}
status:(>=400 AND <600)	status:([400 TO *] AND [* TO 600})	{"status":500,"level":"error"}
status:=500	status:500	{"status":500,"level":"error"}
status:==500	status:500	{"status":500,"level":"error"}
status:<>404	-status:404	{"status":500,"level":"error"}
status:!=404	-status:404	{"status":500,"level":"error"}
status:!404	-status:404	{"status":500,"level":"error"}
400 <= status	status:[400 TO *]	{"status":500,"level":"error"}
400<=status<600	status:[400 TO 600}	{"status":500,"level":"error"}
level="error"	level:error	{"status":500,"level":"error"}
level='error'	level:error	{"status":500,"level":"error"}
level = "error"	level:error	{"status":500,"level":"error"}
level=error AND status>=400	level:error AND status:[400 TO *]	{"status":500,"level":"error"}
level:error status>=400	level:error status:[400 TO *]	
status≥400	status:[400 TO *]	{"status":500,"level":"error"}
status gte 400	status:[400 TO *]	{"status":500,"level":"error"}
level eq "error"	level:error	{"status":500,"level":"error"}
level is "error"	level:error	{"status":500,"level":"error"}
ts:>now-1d	ts:{NOW-1DAY TO *]	
ts>=now-7d/d	ts:[NOW-7DAYS/DAY TO *]	
ts > now() - interval '7 days'	ts:{NOW-7DAYS TO *]	
ts>=2024-01-01	ts:[2024-01-01 TO *]	
ts:>"2024-01-01T00:00:00Z"	ts:{2024-01-01T00:00:00Z TO *]	{"ts":"2024-06-01T00:00:00Z"}
level=~"err.*"	level:/err.*/	{"status":500,"level":"error"}
level!~"warn.*"	-level:/warn.*/	{"status":500,"level":"error"}
level ~ 'rr'	level:/.*rr.*/	{"status":500,"level":"error"}
1=1	*:*	{"status":500,"level":"error"}
a:1 and b:2	a:1 AND b:2	
a:1 And b:2	a:1 AND b:2	
a:1 or b:2	a:1 OR b:2	
a:1 and not b:2	a:1 AND NOT b:2	
not a:1	NOT a:1	
a:1 or not b:2	a:1 OR (*:* NOT b:2)	
level:(error or warn)	level:(error OR warn)	
rock and roll	rock AND roll	
a:1 & b:2	a:1 AND b:2	
a:1 | b:2	a:1 OR b:2	
a:1 xor b:2	((+a:1 -b:2) OR (+b:2 -a:1))	
a:1 but not b:2	a:1 AND NOT b:2	
not (a:1 and b:2)	NOT (a:1 AND b:2)	
status:[400 to 500]	status:[400 TO 500]	{"status":500,"level":"error"}
status:400 to 500	status:[400 TO 500]	{"status":500,"level":"error"}
status:(400 TO 500)	status:[400 TO 500]	{"status":500,"level":"error"}
status:from 400 to 500	status:[400 TO 500]	{"status":500,"level":"error"}
_exists_:level	level:*	{"status":500,"level":"error"}
_exists_:"level"	level:*	{"status":500,"level":"error"}
_missing_:user	-user:*	{"status":500,"level":"error"}
NOT _exists_:user	NOT user:*	{"status":500,"level":"error"}
user:null	-user:*	{"status":500,"level":"error"}
user:NULL	-user:*	{"status":500,"level":"error"}
user:None	-user:*	{"status":500,"level":"error"}
NOT level:null	level:*	{"status":500,"level":"error"}
-level:null	level:*	
level!=null	level:*	{"status":500,"level":"error"}
user = null	-user:*	{"status":500,"level":"error"}
user IS NULL	-user:*	{"status":500,"level":"error"}
level IS NOT NULL	level:*	{"status":500,"level":"error"}
level is not null	level:*	{"status":500,"level":"error"}
exists(level)	level:*	{"status":500,"level":"error"}
isnull(user)	-user:*	{"status":500,"level":"error"}
has:level	level:*	{"status":500,"level":"error"}
level=*	level:*	{"status":500,"level":"error"}
level:	level:*	{"status":500,"level":"error"}
level:()	level:*	{"status":500,"level":"error"}
level IN ('error', 'warn')	level:(error OR warn)	{"status":500,"level":"error"}
level in (error, warn)	level:(error OR warn)	{"status":500,"level":"error"}
level NOT IN (info, warn)	-level:(info OR warn)	{"status":500,"level":"error"}
level:in(error, warn)	level:(error OR warn)	{"status":500,"level":"error"}
status IN (500)	status:500	{"status":500,"level":"error"}
level LIKE 'err%'	level:err*	{"status":500,"level":"error"}
level like '%rr%'	level:*rr*	{"status":500,"level":"error"}
level NOT LIKE 'warn%'	-level:warn*	{"status":500,"level":"error"}
level ILIKE 'ERR%'	level:/[Ee][Rr][Rr].*/	{"status":500,"level":"error"}
status BETWEEN 400 AND 600	status:[400 TO 600]	{"status":500,"level":"error"}
status between 400 and 600	status:[400 TO 600]	{"status":500,"level":"error"}
status NOT BETWEEN 100 AND 200	-status:[100 TO 200]	{"status":500,"level":"error"}
name:'Ann Lee'	name:"Ann Lee"	{"name":"Ann Lee","tags":["a","b"]}
name = 'Ann Lee'	name:"Ann Lee"	{"name":"Ann Lee","tags":["a","b"]}
'Ann Lee'	"Ann Lee"	{"name":"Ann Lee","tags":["a","b"]}
level:'error'	level:"error"	{"status":500,"level":"error"}
`level`:error	level:error	{"status":500,"level":"error"}
SELECT * FROM logs WHERE level = 'error' AND status > 400	level:error AND status:{400 TO *]	{"status":500,"level":"error"}
WHERE level = 'error'	level:error	{"status":500,"level":"error"}
SELECT * FROM logs	*:*	{"status":500,"level":"error"}
level = 'error' ORDER BY status DESC LIMIT 10	level:error	{"status":500,"level":"error"}
level:error;	level:error	{"status":500,"level":"error"}
level = 'error';	level:error	{"status":500,"level":"error"}
level:err%	level:err*	{"status":500,"level":"error"}
level:%rr%	level:*rr*	{"status":500,"level":"error"}
level:error,warn	level:(error OR warn)	{"status":500,"level":"error"}
level:error|warn	level:(error OR warn)	{"status":500,"level":"error"}
level:(error|warn)	level:(error OR warn)	{"status":500,"level":"error"}
level:(error | warn)	level:(error OR warn)	{"status":500,"level":"error"}
level:(error, warn)	level:(error OR warn)	{"status":500,"level":"error"}
level:("error", "warn")	level:("error" OR "warn")	{"status":500,"level":"error"}
level:error, warn	level:(error OR warn)	{"status":500,"level":"error"}
level:[error, warn]	level:(error OR warn)	{"status":500,"level":"error"}
level:["error","warn"]	level:(error OR warn)	{"status":500,"level":"error"}
level:{error, warn}	level:(error OR warn)	{"status":500,"level":"error"}
error|warn	error OR warn	{"status":500,"level":"error"}
error, warn	error OR warn	{"status":500,"level":"error"}
-level:(info,warn)	-level:(info OR warn)	{"status":500,"level":"error"}
status:400..600	status:[400 TO 600]	{"status":500,"level":"error"}
status:400...600	status:[400 TO 600]	{"status":500,"level":"error"}
status:400-600	status:[400 TO 600]	{"status":500,"level":"error"}
status:400–600	status:[400 TO 600]	{"status":500,"level":"error"}
status:400..	status:[400 TO *]	{"status":500,"level":"error"}
status:*..600	status:[* TO 600]	{"status":500,"level":"error"}
status:..600	status:[* TO 600]	{"status":500,"level":"error"}
status:[400..600]	status:[400 TO 600]	{"status":500,"level":"error"}
status:[400,600]	status:[400 TO 600]	{"status":500,"level":"error"}
status:[400-600]	status:[400 TO 600]	{"status":500,"level":"error"}
status:[400 600]	status:[400 TO 600]	{"status":500,"level":"error"}
status:[400 TO]	status:[400 TO *]	{"status":500,"level":"error"}
status:[TO 600]	status:[* TO 600]	{"status":500,"level":"error"}
status:(400 TO 600]	status:{400 TO 600]	{"status":500,"level":"error"}
status:[400 TO 600)	status:[400 TO 600}	{"status":500,"level":"error"}
status:[600 TO 400]	status:[400 TO 600]	{"status":500,"level":"error"}
status:[>=400 TO <600]	status:[400 TO 600}	{"status":500,"level":"error"}
status:[400 TO infinity]	status:[400 TO *]	{"status":500,"level":"error"}
name:“Ann Lee”	name:"Ann Lee"	{"name":"Ann Lee","tags":["a","b"]}
name:‘Ann Lee’	name:"Ann Lee"	{"name":"Ann Lee","tags":["a","b"]}
name:«Ann Lee»	name:"Ann Lee"	{"name":"Ann Lee","tags":["a","b"]}
level：error	level:error	{"status":500,"level":"error"}
status：＞＝400	status:[400 TO *]	{"status":500,"level":"error"}
level:（error OR warn）	level:(error OR warn)	{"status":500,"level":"error"}
level: error	level: error	{"status":500,"level":"error"}
level:error AND status:500	level:error AND status:500	{"status":500,"level":"error"}
level:error –status:404	level:error -status:404	
n:−5	n:"-5"	{"n":-5}
level:error​	level:error	{"status":500,"level":"error"}
level:error ＡＮＤ status:500	level:error AND status:500	
msg:"foo*"	msg:foo*	{"msg":"foobar baz","name":"foo"}
msg:"*bar b*"	msg:*bar\ b*	{"msg":"foobar baz","name":"foo"}
"foob*"	foob*	{"msg":"foobar baz","name":"foo"}
name:"f?o"	name:f?o	{"msg":"foobar baz","name":"foo"}
status:"[400 TO 600]"	status:[400 TO 600]	{"status":500,"level":"error"}
status:">=400"	status:[400 TO *]	{"status":500,"level":"error"}
level:"error OR warn"	level:(error OR warn)	{"status":500,"level":"error"}
msg:"/foo.*/"	msg:/foo.*/	{"msg":"foobar baz","name":"foo"}
msg:"foobar baz"~3	msg:*foobar*baz*	{"msg":"a foobar or baz"}
name:Ann Lee	name:"Ann Lee"	{"name":"Ann Lee","tags":["a","b"]}
name:Ann Lee AND tags:a	name:"Ann Lee" AND tags:a	
level:True	level:true	{"level":true}
level.keyword:error	level:error	{"status":500,"level":"error"}
level.keyword:(error OR warn)	level:(error OR warn)	{"status":500,"level":"error"}
a.b[0].c:x	a.b.c:x	{"a":{"b":[{"c":"x"}]}}
a.b[].c:x	a.b.c:x	{"a":{"b":[{"c":"x"}]}}
a.b[*].c:x	a.b.c:x	{"a":{"b":[{"c":"x"}]}}
a['b'].c:x	a.b.c:x	{"a":{"b":[{"c":"x"}]}}
a.b.0.c:x	a.b.c:x	{"a":{"b":[{"c":"x"}]}}
$.a.b.c:x	a.b.c:x	{"a":{"b":[{"c":"x"}]}}
.a.b.c:x	a.b.c:x	{"a":{"b":[{"c":"x"}]}}
.a.b.c == "x"	a.b.c:x	{"a":{"b":[{"c":"x"}]}}
a->b->c:x	a.b.c:x	{"a":{"b":[{"c":"x"}]}}
a->'b'->>'c' = 'x'	a.b.c:x	{"a":{"b":[{"c":"x"}]}}
a/b/c:x	a.b.c:x	{"a":{"b":[{"c":"x"}]}}
/a/b/c:x	a.b.c:x	{"a":{"b":[{"c":"x"}]}}
"a.b.c":x	a.b.c:x	{"a":{"b":[{"c":"x"}]}}
'a.b.c':x	a.b.c:x	{"a":{"b":[{"c":"x"}]}}
a.*:x	a:* AND *:x	{"a":{"b":[{"c":"x"}]}}
*.c:x	*:x	{"a":{"b":[{"c":"x"}]}}
a.b*:x	a.b:* AND *:x	{"a":{"b":[{"c":"x"}]}}
_source.a.b.c:x	a.b.c:x	{"a":{"b":[{"c":"x"}]}}
q=level:error	level:error	{"status":500,"level":"error"}
name:/^foo$/	name:/foo/	{"msg":"foobar baz","name":"foo"}
msg:/^foo/	msg:/foo.*/	{"msg":"foobar baz","name":"foo"}
msg:/baz$/	msg:/.*baz/	{"msg":"foobar baz","name":"foo"}
msg:/\bbaz\b/	msg:/(.*[^a-zA-Z0-9_])?baz([^a-zA-Z0-9_].*)?/	{"msg":"foobar baz","name":"foo"}
name:/(?:foo|bar)/	name:/(foo|bar)/	{"msg":"foobar baz","name":"foo"}
name:/(?i)FOO/	name:/[Ff][Oo][Oo]/	{"msg":"foobar baz","name":"foo"}
msg:.*bar.*	msg:/.*bar.*/	{"msg":"foobar baz","name":"foo"}
n:\d+	n:/[0-9]+/	{"n":"17"}
name:[a-z]+	name:/[a-z]+/	{"msg":"foobar baz","name":"foo"}
msg:^foo	msg:/foo.*/	{"msg":"foobar baz","name":"foo"}
path:/docs/x	path:"/docs/x"	{"path":"/docs/x"}
path:/docs	path:"/docs"	{"path":"/docs"}
path:/api/v1/*	path:\/api\/v1\/*	{"path":"/api/v1/x"}
ts:now	ts:NOW	
ts:today	ts:[NOW/DAY TO NOW+1DAY/DAY}	
ts:yesterday	ts:[NOW-1DAY/DAY TO NOW/DAY}	
ts:[now-1d TO now]	ts:[NOW-1DAY TO NOW]	
ts:[now-1d/d TO now/d]	ts:[NOW-1DAY/DAY TO NOW/DAY]	
ts:[NOW-1WEEK TO NOW]	ts:[NOW-7DAYS TO NOW]	
ts:[-7d TO now]	ts:[NOW-7DAYS TO NOW]	
ts:-7d	ts:NOW-7DAYS	
ts:2024-01-01||/M	ts:"2024-01-01T00:00:00Z/MONTH"	
ts:[2024-01-01||-1w TO *]	ts:[2024-01-01T00:00:00Z-7DAYS TO *]	
ts:2024/01/31	ts:2024-01-31	{"ts":"2024-01-31T10:00:00Z"}
ts>today	ts:{NOW/DAY TO *]	
a:1 AND b:2 OR c:3	(a:1 AND b:2) OR c:3	{"c":3}
a:1 OR b:2 AND c:3	a:1 OR (b:2 AND c:3)	{"a":1}
a:1 && b:2 || c:3	(a:1 && b:2) || c:3	{"c":3}
a:1 AND b:2 c:3	a:1 AND b:2 AND c:3	
a:1 OR -b:2	a:1 OR (*:* -b:2)	{"z":1}
a:1 OR NOT b:2	a:1 OR (*:* NOT b:2)	{"z":1}
NOT a:1 OR b:2	(*:* NOT a:1) OR b:2	{"z":1}
a:1 - b:2	a:1 -b:2	
a:1 + b:2	a:1 AND b:2	
a:1 ! b:2	a:1 NOT b:2	
a:1&&b:2	a:1 && b:2	
a:1||b:2	a:1 || b:2	
a&&b	a && b	
AND a:1	a:1	{"a":1,"b":2}
a:1 AND	a:1	{"a":1,"b":2}
a:1 AND OR b:2	a:1 AND b:2	{"a":1,"b":2}
OR a:1	a:1	{"a":1,"b":2}
user.id:f7661f25:7c49	user.id:"f7661f25:7c49"	{"user":{"id":"f7661f25:7c49"}}
url:http://example.com/a	url:"http://example.com/a"	{"url":"http://example.com/a"}
at:12:30:00	at:"12:30:00"	{"at":"12:30:00"}
n:-5	n:"-5"	{"n":-5}
n:+5	n:5	{"n":5}
-level:info AND (status:500	-level:info AND (status:500)	{"status":500,"level":"error"}
level:error)	level:error	{"status":500,"level":"error"}
name:"Ann Lee	name:"Ann Lee"	{"name":"Ann Lee","tags":["a","b"]}
{error, warn}	error OR warn	{"status":500,"level":"error"}
{error warn}	error warn	{"status":500,"level":"error"}
level:{error warn}	level:(error OR warn)	{"status":500,"level":"error"}
level:{error,warn}	level:(error OR warn)	{"status":500,"level":"error"}
level:{"error", "warn"}	level:("error" OR "warn")	{"status":500,"level":"error"}
level:{error OR warn}	level:(error OR warn)	{"status":500,"level":"error"}
level:{error or warn}	level:(error OR warn)	{"status":500,"level":"error"}
level:{error}^2	level:error^2	{"status":500,"level":"error"}
status:{400 to 600}	status:{400 TO 600}	{"status":500,"level":"error"}
items:{price>5}	items:{price:{5 TO *]}	{"items":[{"price":7}]}
items:{sku = gift AND price < 9}	items:{sku:gift AND price:[* TO 9}}	{"items":[{"sku":"gift","price":7}]}
{"level":"error"}	level:error	{"status":500,"level":"error"}
{level: "error", status: 500}	level:error AND status:500	{"status":500,"level":"error"}
{"status": {"$gte": 400, "$lt": 600}}	status:[400 TO *] AND status:[* TO 600}	{"status":500,"level":"error"}
{"level": {"$in": ["error", "warn"]}}	level:(error OR warn)	{"status":500,"level":"error"}
{"$or": [{"level": "error"}, {"status": 200}]}	(level:error OR status:200)	{"status":500,"level":"error"}
{app="shop", level="error"} |= "time"	app:shop AND level:error AND *time*	
error | stats count	error	{"status":500,"level":"error"}
contains(msg, "bar")	msg:*bar*	{"msg":"foobar baz","name":"foo"}
msg.startsWith("foo")	msg:foo*	{"msg":"foobar baz","name":"foo"}
startswith(msg, "foo")	msg:foo*	{"msg":"foobar baz","name":"foo"}
msg contains "bar"	msg:*bar*	{"msg":"foobar baz","name":"foo"}
msg:contains bar	msg:*bar*	{"msg":"foobar baz","name":"foo"}
n:1,000	n:1000	{"n":1000}
n:1_000	n:1000	{"n":1000}
*.*	*:*	{"status":500,"level":"error"}
.*	*:*	{"status":500,"level":"error"}
path:C:\temp	path:"C:\\temp"	{"path":"C:\\temp"}
f:a[b]	f:"a[b]"	{"f":"a[b]"}
:error	error	{"status":500,"level":"error"}
level:error AND (	level:error	{"status":500,"level":"error"}
"level":"error"	level:"error"	{"status":500,"level":"error"}
level:error,status:500	level:error AND status:500	{"status":500,"level":"error"}
status:=>400	status:[400 TO *]	{"status":500}
status=>400	status:[400 TO *]	{"status":500}
status =! 404	-status:404	{"status":500}
status:>400<500	status:{400 TO 500}	{"status":404}
status>=400<=500	status:[400 TO 500]	{"status":404}
status<500>=400	status:[400 TO 500}	{"status":404}
NOT exists(name)	NOT name:*	{"status":500}
!exists(name)	!name:*	{"status":500}
NOT contains(name, "Ann")	NOT name:*Ann*	{"name":"Bob"}
name~ob	name:/.*ob.*/	{"name":"Bob"}
name:/bob/i	name:/[bB][oO][bB]/	{"name":"BOB"}
name:/b.b/gi AND a:1	name:/[bB].[bB]/ AND a:1	{"name":"BOB","a":1}
name:/bo+b/g	name:/bo+b/	{"name":"bob"}
ts:22.11.2026	ts:2026-11-22	{"ts":"2026-11-22T10:00:00Z"}
ts:11/22/2026	ts:2026-11-22	{"ts":"2026-11-22T10:00:00Z"}
ts:22/11/2026	ts:2026-11-22	{"ts":"2026-11-22T10:00:00Z"}
ts:[01.11.2026 TO 30.11.2026]	ts:[2026-11-01 TO 2026-11-30]	{"ts":"2026-11-22T10:00:00Z"}
ts >= 11/01/2026	ts:[2026-11-01 TO *]	{"ts":"2026-11-22T10:00:00Z"}
_all:bob	*:bob	{"name":"bob"}
agent:Mozilla/5.0 (X11; Linux x86_64)	agent:"Mozilla/5.0 (X11; Linux x86_64)"	{"agent":"Mozilla/5.0 (X11; Linux x86_64)"}
name:Ann(Lee)	name:"Ann(Lee)"	{"name":"Ann(Lee)"}
name:Ann, status:500	name:Ann AND status:500	{"name":"Ann","status":500}
name:Ann; status:500	name:Ann AND status:500	{"name":"Ann","status":500}
name:Ann;status:500	name:Ann AND status:500	{"name":"Ann","status":500}
price:$12.50	price:12.50	{"price":12.5}
price:€1,000	price:1000	{"price":1000}
status:4xx	status:[400 TO 499]	{"status":404}
status = 5XX	status:[500 TO 599]	{"status":500}
doc->>'name' = 'bob'	name:bob	{"name":"bob"}
doc->'user'->>'id' = 'u-1'	user.id:u-1	{"user":{"id":"u-1"}}
name:\bAnn\b	name:/(.*[^a-zA-Z0-9_])?Ann([^a-zA-Z0-9_].*)?/	{"name":"Dr. Ann Lee"}
name:bob && ! status:404	name:bob && NOT status:404	{"name":"bob","status":500}
name:bob XOR status:404	((+name:bob -status:404) OR (+status:404 -name:bob))	{"name":"bob","status":500}
name:bob WITHOUT status:404	name:bob AND NOT status:404	{"name":"bob","status":500}
name:bob ANDNOT status:404	name:bob AND NOT status:404	{"name":"bob","status":500}
name:bob UNION status:404	name:bob OR status:404	{"name":"bob","status":500}
Ann NEAR/5 Lee	Ann AND Lee	{"a":"Ann","b":"Lee"}
name:bob W/3 tag:x	name:bob AND tag:x	{"name":"bob","tag":"x"}
name:bob limit 10	name:bob	{"name":"bob"}
name:bob -- the one	name:bob	{"name":"bob"}
name:bob # the one	name:bob	{"name":"bob"}
lower(name) = 'bob'	name:/[bB][oO][bB]/	{"name":"BOB"}
length(name) > 3	name:/.{4,}/	{"name":"Anna"}
len(name)<=3	name:/.{0,3}/	{"name":"Ann"}
count(tags) > 0	tags:*	{"tags":["a"]}
size(tags) = 0	-tags:*	{"tags":[]}
date(ts) = 2026-11-22	ts:2026-11-22	{"ts":"2026-11-22T10:00:00Z"}
year(ts) = 2026	ts:[2026-01-01 TO 2027-01-01}	{"ts":"2026-11-22T10:00:00Z"}
status: {$gte: 400}	status:[400 TO *]	{"status":500}
status:{$in:[400,500]}	status:(400 OR 500)	{"status":500}
name: {$regex: "b"} AND a:1	name:/.*b.*/ AND a:1	{"name":"abc","a":1}
name*="ob"	name:*ob*	{"name":"bob"}
name$="ob"	name:*ob	{"name":"bob"}
name~="ob"	name:/.*ob.*/	{"name":"bob"}
tags @> 'a'	tags:a	{"tags":["a"]}
name IS EMPTY	-name:*	{"a":1}
status:404,	status:404	{"status":404}
status:404 OR 500	status:(404 OR 500)	{"status":500}
level:error OR warn	level:(error OR warn)	{"level":"warn"}
status in 404,500	status:(404 OR 500)	{"status":500}
status in [400 TO 500]	status:[400 TO 500]	{"status":500}
status:any(404,500)	status:(404 OR 500)	{"status":500}
code:123 124 125	code:(123 OR 124 OR 125)	{"code":124}
code:a1;b2	code:(a1 OR b2)	{"code":"b2"}
ts:2026-11-22 10:00	ts:"2026-11-22 10:00"	{"ts":"2026-11-22T10:00:30Z"}
ts:last 7 days	ts:[NOW-7DAYS TO NOW]	
ts:"last week"	ts:[NOW-7DAYS TO NOW]	
ts:this month	ts:[NOW/MONTH TO NOW]	
ts:last_24_hours	ts:[NOW-24HOURS TO NOW]	
ts:previous month	ts:[NOW-1MONTH/MONTH TO NOW/MONTH}	
ts > ago(7d)	ts:{NOW-7DAYS TO *]	
ip:10.1.0.0/16	ip:10.1.*	{"ip":"10.1.2.3"}
name:Ann%20Lee	name:"Ann Lee"	{"name":"Ann Lee"}
name:*Ann Lee*	name:*Ann\ Lee*	{"name":"Dr. Ann Lee Jr."}
name LIKE Ann	name:Ann	{"name":"Ann"}
name LIKE 4%	name:4*	{"name":"42"}
price > $12	price:{12 TO *]	{"price":13}
size:>10MB	size:{10 TO *]	{"size":11}
FROM logs | WHERE level == "error" | LIMIT 5	level:error	{"level":"error"}
process where name == "bob"	name:bob	{"name":"bob"}
\.
SELECT session_update('habits', jsonb_build_array(jsonb_build_object('upsert',
    jsonb_agg(doc || jsonb_build_object('id', number))))) FROM habit WHERE doc IS NOT NULL \g /dev/null

-- The notices of a query that is valid, or the hint of the error.
CREATE FUNCTION pg_temp.said(q text, OUT said text, OUT is_error bool) LANGUAGE plpgsql AS $$
BEGIN
    is_error := false;
    SELECT string_agg(notice, E'\n' ORDER BY n) INTO said
    FROM jsonb_array_elements_text(session_explain('habits', q) -> 'notices') WITH ORDINALITY AS e (notice, n);
EXCEPTION WHEN syntax_error THEN
    GET STACKED DIAGNOSTICS said = PG_EXCEPTION_HINT;
    is_error := true;
END
$$;
SET session_store.notices = off;
CREATE TEMP TABLE heard AS SELECT habit.*, s.* FROM habit, LATERAL pg_temp.said(typed) AS s;

-- Nothing is silent, and the query that was meant is always said.
SELECT typed, said FROM heard WHERE said IS NULL OR position(meant IN said) = 0;
-- What was meant is silent, and finds the document.
SELECT typed, meant, s.said FROM heard, LATERAL pg_temp.said(meant) AS s WHERE s.said IS NOT NULL;
SELECT typed, meant FROM heard, LATERAL session_stream('habits', meant) AS found
WHERE doc IS NOT NULL GROUP BY number, typed, meant HAVING bool_or(found ->> 'id' = number::text) IS NOT TRUE;
SELECT typed, meant FROM heard WHERE doc IS NOT NULL AND session_count('habits', meant) = 0;
-- All of it
\pset format unaligned
\pset fieldsep '  →  '
SELECT typed, replace(said, E'\n', '  →  ') FROM heard ORDER BY number;
\pset format aligned
RESET session_store.notices;

-- Once a statement: in every plan, in functions, for every row
SELECT session_count('habits', 'status>=400');
SET session_store.notices = off;
SELECT session_count('habits', 'status>=400');
RESET session_store.notices;
SELECT count(*) FROM sessions.habits WHERE doc @@@ 'status>=400';
EXPLAIN (COSTS off) SELECT count(*) FROM sessions.habits WHERE doc @@@ 'status>=400';
BEGIN;
SET LOCAL enable_bitmapscan = off;
SET LOCAL session_store.enable_scan = off;
SELECT count(*) FROM sessions.habits WHERE doc @@@ 'status>=400';
SELECT count(*) FROM sessions.habits WHERE doc @@@ (SELECT 'status>=' || 400);
COMMIT;
SELECT count(*) FROM sessions.habits AS a JOIN sessions.habits AS b ON a.id = b.id AND b.doc @@@ 'status>=400' AND a.doc @@@ 'status>=400';
PREPARE by_text (text) AS SELECT count(*) FROM sessions.habits WHERE doc @@@ $1;
SET plan_cache_mode = force_custom_plan;
EXECUTE by_text ('status>=400');
SET plan_cache_mode = force_generic_plan;
EXECUTE by_text ('status>=400');
EXPLAIN (COSTS off) EXECUTE by_text ('status>=400');
RESET plan_cache_mode;
CREATE FUNCTION pg_temp.in_sql(q text) RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM sessions.habits WHERE doc @@@ q';
CREATE FUNCTION pg_temp.in_plpgsql(q text) RETURNS bigint LANGUAGE plpgsql AS
    'BEGIN RETURN (SELECT count(*) FROM sessions.habits WHERE doc @@@ q); END';
SELECT pg_temp.in_sql('status>=400'), pg_temp.in_plpgsql('status>=400') FROM generate_series(1, 3);
SELECT sum(session_count('habits', 'status>=400')) FROM generate_series(1, 3);
DO $$ BEGIN FOR n IN 1..3 LOOP PERFORM session_count('habits', 'status>=400'); END LOOP; END $$;
SELECT session_count('habits', q) FROM (VALUES ('status>=400'), ('status>=500'), ('status>=400')) AS queries (q);

-- A few of a kind, and then how many more
SELECT session_count('habits', repeat('status>=400 ', 5));
SELECT session_drop('habits');
