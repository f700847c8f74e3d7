-- SPDX-License-Identifier: MIT
--
-- hdmabuf.lua - what two ends of hyper-dmabuf have said to each other, in Wireshark
--
--	wireshark -X lua_script:conformance/wireshark/hdmabuf.lua session.pcapng
--
-- or copy it into the folder of personal Lua plugins (Help, About, Folders). The traces are
-- those of <hdmabuf/trace.h>: link type USER0. All fields have names, as in
-- "hdmabuf.hand_off.signal_point == 17"; a request knows its answer, an answer its request.

local proto = Proto("hdmabuf", "hyper-dmabuf")

-- ---- Names of numbers ------------------------------------------------------

local roles = { [0] = "frontend", "backend" }

local kinds = { "record", "channel page", "request", "answer", "descriptor", "point", "down" }
local RECORD, CHANNEL, REQUEST, ANSWER, DESCRIPTOR, POINT, DOWN = 1, 2, 3, 4, 5, 6, 7

local operations = {
	[0x01] = "HELLO", [0x02] = "CLOSE", [0x03] = "ECHO",
	[0x10] = "EXPORT", [0x11] = "UPDATE", [0x12] = "UNEXPORT", [0x13] = "RELEASED",
	[0x14] = "HAND_OFF", [0x15] = "QUERY", [0x16] = "ALLOCATE",
	[0x17] = "CPU_BEGIN", [0x18] = "CPU_END",
	[0x20] = "TIMELINE_CREATE", [0x21] = "TIMELINE_DESTROY",
}

local statuses = {
	[0] = "OK", "UNKNOWN_OPERATION", "NOT_NEGOTIATED", "WRONG_STATE", "RESERVED",
	"NO_SUCH_BUFFER", "NO_SUCH_TIMELINE", "WRONG_ROLE", "INVALID", "DUPLICATE", "LIMIT",
	"BAD_REFERENCE", "UNSUPPORTED", "DENIED", "NO_MEMORY", "NO_REFERENCES", "BUSY",
	"WRONG_EPOCH", "CLOSING", "LOST", "CANCELLED", "TIMED_OUT", "FAILED",
}

local places = { [0] = "NOWHERE", "REQUEST", "DESCRIPTOR", "DIRECTORY", "PAGE", "CHANNEL" }
local rights = { "READ_ONLY", "READ_WRITE", "LEND" }
local attributes = { "CACHED", "WRITE_COMBINED" }
local types = { "RAW", "PICTURE", "CYCLIC" }
local formats = { [0] = "LIST", "TABLE", "EXTENTS" }
local reasons = { "DONE", "SHUTDOWN", "SUSPEND", "FAULT" }
local signallers = { "CREATOR", "PEER" }
local accesses = { "READ", "WRITE", "READ and WRITE" }
local states = {
	[0] = "NONE", "EXPORTING", "LIVE", "LENT", "RETIRING", "QUARANTINED", "IMPORTED",
	"MAPPED", "ORPHANED",
}
local features = {
	[0] = "TABLE", "EXTENTS", "UPDATE", "LEND", "ALLOCATE", "CPU_ACCESS", "GROUP", "CYCLIC",
	"WRITE_COMBINED",
}

-- ---- Structures ------------------------------------------------------------

-- { name, offset, octets, how it is shown }: a table of names, or one of these words.
local structures = {
	header = {
		{ "id", 0, 4, "number" },
		{ "operation", 4, 2, operations },
		{ "status", 6, 2, statuses },
	},
	error = {
		{ "where", 8, 4, places },
		{ "zero", 12, 4, "zero" },
		{ "offset", 16, 8, "number" },
		{ "value", 24, 8, "number" },
		{ "zero1", 32, 32, "zero" },
	},
	plain = {
		{ "zero", 8, 56, "zero" },
	},
	hello = {
		{ "epoch_frontend", 8, 8, "hex" },
		{ "epoch_backend", 16, 8, "hex" },
		{ "features", 24, 8, "features" },
		{ "max_octets", 32, 8, "number" },
		{ "max_buffers", 40, 4, "number" },
		{ "max_timelines", 44, 4, "number" },
		{ "max_private", 48, 4, "number" },
		{ "max_in_flight", 52, 4, "number" },
		{ "zero", 56, 8, "zero" },
	},
	close = {
		{ "reason", 8, 4, reasons },
		{ "zero", 12, 52, "zero" },
	},
	echo = {
		{ "octets", 8, 56, "octets" },
	},
	export = {
		{ "id", 8, 16, "octets" },
		{ "descriptor", 24, 8, "number" },
		{ "length", 32, 4, "number" },
		{ "zero", 36, 4, "zero" },
		{ "zero1", 40, 24, "zero" },
	},
	unexport = {
		{ "id", 8, 16, "octets" },
		{ "grace_ms", 24, 4, "number" },
		{ "zero", 28, 4, "zero" },
		{ "zero1", 32, 32, "zero" },
	},
	unexport_answer = {
		{ "mapped", 8, 4, "number" },
		{ "zero", 12, 4, "zero" },
		{ "zero1", 16, 48, "zero" },
	},
	buffer = {
		{ "id", 8, 16, "octets" },
		{ "zero", 24, 40, "zero" },
	},
	query_answer = {
		{ "state", 8, 4, states },
		{ "rights", 12, 4, rights },
		{ "size", 16, 8, "number" },
		{ "pages", 24, 8, "number" },
		{ "generation", 32, 8, "number" },
		{ "tag", 40, 8, "number" },
		{ "hand_offs", 48, 8, "number" },
		{ "type", 56, 4, types },
		{ "private_octets", 60, 4, "number" },
	},
	hand_off = {
		{ "id", 8, 16, "octets" },
		{ "wait_point", 24, 8, "number" },
		{ "signal_point", 32, 8, "number" },
		{ "wait_timeline", 40, 4, "timeline" },
		{ "signal_timeline", 44, 4, "timeline" },
		{ "flags", 48, 4, "hex" },
		{ "zero", 52, 4, "zero" },
		{ "stamp", 56, 8, "number" },
	},
	allocate = {
		{ "size", 8, 8, "number" },
		{ "tag", 16, 8, "number" },
		{ "modifier", 24, 8, "hex" },
		{ "width", 32, 4, "number" },
		{ "height", 36, 4, "number" },
		{ "fourcc", 40, 4, "fourcc" },
		{ "rights", 44, 4, rights },
		{ "attributes", 48, 4, attributes },
		{ "zero", 52, 4, "zero" },
		{ "zero1", 56, 8, "zero" },
	},
	allocate_answer = {
		{ "id", 8, 16, "octets" },
		{ "zero", 24, 40, "zero" },
	},
	cpu_access = {
		{ "id", 8, 16, "octets" },
		{ "offset", 24, 8, "number" },
		{ "octets", 32, 8, "number" },
		{ "access", 40, 4, accesses },
		{ "zero", 44, 4, "zero" },
		{ "zero1", 48, 16, "zero" },
	},
	timeline = {
		{ "timeline", 8, 4, "number" },
		{ "signaller", 12, 4, signallers },
		{ "point", 16, 8, "number" },
		{ "zero", 24, 40, "zero" },
	},
	channel = {
		{ "magic", 0, 4, "hex" },
		{ "version", 4, 4, "number" },
		{ "epoch_frontend", 8, 8, "hex" },
		{ "epoch_backend", 16, 8, "hex" },
		{ "page_shift", 24, 4, "number" },
		{ "ring_format", 28, 4, "number" },
		{ "frontend_ring_order", 32, 4, "number" },
		{ "backend_ring_order", 36, 4, "number" },
		{ "timeline_pages", 40, 4, "number" },
		{ "references", 44, 4, "number" },
		{ "frontend_ring_start", 48, 4, "number" },
		{ "backend_ring_start", 52, 4, "number" },
		{ "zero", 56, 8, "zero" },
	},
	descriptor = {
		{ "magic", 0, 4, "hex" },
		{ "length", 4, 4, "number" },
		{ "id", 8, 16, "octets" },
		{ "generation", 24, 8, "number" },
		{ "size", 32, 8, "number" },
		{ "pages", 40, 8, "number" },
		{ "entries", 48, 8, "number" },
		{ "directory", 56, 8, "number" },
		{ "directory_pages", 64, 4, "number" },
		{ "directory_format", 68, 4, formats },
		{ "data_offset", 72, 4, "number" },
		{ "page_shift", 76, 4, "number" },
		{ "rights", 80, 4, rights },
		{ "attributes", 84, 4, attributes },
		{ "tag", 88, 8, "number" },
		{ "type", 96, 4, types },
		{ "private_octets", 100, 4, "number" },
	},
	raw = {
		{ "metadata.raw", 104, 96, "zero" },
		{ "zero", 200, 56, "zero" },
	},
	picture = {
		{ "width", 104, 4, "number" },
		{ "height", 108, 4, "number" },
		{ "fourcc", 112, 4, "fourcc" },
		{ "planes", 116, 4, "number" },
		{ "modifier", 120, 8, "hex" },
		{ "plane_first", 128, 4, "number" },
		{ "plane_count", 132, 4, "number" },
		{ "plane[0].offset", 136, 8, "number" },
		{ "plane[0].stride", 144, 4, "number" },
		{ "plane[0].zero", 148, 4, "zero" },
		{ "plane[1].offset", 152, 8, "number" },
		{ "plane[1].stride", 160, 4, "number" },
		{ "plane[1].zero", 164, 4, "zero" },
		{ "plane[2].offset", 168, 8, "number" },
		{ "plane[2].stride", 176, 4, "number" },
		{ "plane[2].zero", 180, 4, "zero" },
		{ "plane[3].offset", 184, 8, "number" },
		{ "plane[3].stride", 192, 4, "number" },
		{ "plane[3].zero", 196, 4, "zero" },
		{ "zero", 200, 56, "zero" },
	},
	cyclic = {
		{ "format", 104, 4, "number" },
		{ "channels", 108, 4, "number" },
		{ "rate", 112, 4, "number" },
		{ "frame_octets", 116, 4, "number" },
		{ "period_octets", 120, 4, "number" },
		{ "position_timeline", 124, 4, "timeline" },
		{ "metadata.zero", 128, 72, "zero" },
		{ "zero", 200, 56, "zero" },
	},
	point = {
		{ "creator", 0, 4, roles },
		{ "timeline", 4, 4, "number" },
		{ "point", 8, 8, "number" },
		{ "error", 16, 4, statuses },
		{ "zero", 20, 4, "zero" },
	},
}

local requests = {
	HELLO = "hello", CLOSE = "close", ECHO = "echo", EXPORT = "export", UPDATE = "export",
	UNEXPORT = "unexport", RELEASED = "buffer", HAND_OFF = "hand_off", QUERY = "buffer",
	ALLOCATE = "allocate", CPU_BEGIN = "cpu_access", CPU_END = "cpu_access",
	TIMELINE_CREATE = "timeline", TIMELINE_DESTROY = "timeline",
}

local answers = {
	HELLO = "hello", ECHO = "echo", UNEXPORT = "unexport_answer", QUERY = "query_answer",
	ALLOCATE = "allocate_answer",
}

local metadata = { "raw", "picture", "cyclic" }

-- ---- Fields ----------------------------------------------------------------

local fields = {
	version = ProtoField.uint8("hdmabuf.version", "Version of the packet"),
	kind = ProtoField.uint8("hdmabuf.kind", "Kind", base.DEC, kinds),
	sender = ProtoField.uint8("hdmabuf.sender", "Sender", base.DEC, roles),
	observer = ProtoField.uint8("hdmabuf.observer", "Observer", base.DEC, roles),
	link = ProtoField.uint32("hdmabuf.link", "Link"),
	record = ProtoField.string("hdmabuf.record", "Record"),
	why = ProtoField.string("hdmabuf.why", "Why"),
	reference = ProtoField.uint64("hdmabuf.channel.reference", "reference"),
	private = ProtoField.bytes("hdmabuf.descriptor.private", "private data"),
	unknown = ProtoField.bytes("hdmabuf.unknown", "octets of an unknown kind"),
	answer = ProtoField.framenum("hdmabuf.answer", "Answered in", base.NONE, frametype.RESPONSE),
	request = ProtoField.framenum("hdmabuf.request", "Request in", base.NONE, frametype.REQUEST),
}

local experts = {
	zero = ProtoExpert.new("hdmabuf.not_zero", "A field that must be zero is not",
		expert.group.PROTOCOL, expert.severity.WARN),
	refused = ProtoExpert.new("hdmabuf.refused", "The request was refused",
		expert.group.RESPONSE_CODE, expert.severity.NOTE),
	short = ProtoExpert.new("hdmabuf.short", "The packet is too short",
		expert.group.MALFORMED, expert.severity.ERROR),
}

-- "plane[0].offset" is found as hdmabuf.picture.plane0.offset.
local function abbreviation(structure, name)
	return "hdmabuf." .. structure .. "." .. name:gsub("%[(%d)%]", "%1")
end

local function make_field(structure, name, octets, shown)
	local abbr = abbreviation(structure, name)
	local base_shown = (shown == "hex" or shown == "features" or shown == "fourcc") and base.HEX or base.DEC
	local names = type(shown) == "table" and shown or nil

	if shown == "zero" or shown == "octets" then
		return ProtoField.bytes(abbr, name)
	elseif octets == 2 then
		return ProtoField.uint16(abbr, name, base_shown, names)
	elseif octets == 4 then
		return ProtoField.uint32(abbr, name, base_shown, names)
	end
	return ProtoField.uint64(abbr, name, base_shown, names)
end

local all = {}
for _, field in pairs(fields) do
	all[#all + 1] = field
end
for structure, members in pairs(structures) do
	for _, member in ipairs(members) do
		member.field = make_field(structure, member[1], member[3], member[4])
		all[#all + 1] = member.field
	end
end
proto.fields = all
proto.experts = { experts.zero, experts.refused, experts.short }

-- ---- Showing ---------------------------------------------------------------

local function is_zero(range)
	return not range:bytes():tohex():find("[^0]")
end

local function feature_names(bits)
	local names = {}

	for bit = 0, #features do
		if bits:band(UInt64(2 ^ bit)) ~= UInt64(0) then
			names[#names + 1] = features[bit]
		end
	end
	return table.concat(names, ", ")
end

local function fourcc_text(range)
	return range:uint() == 0 and "none" or range:string():gsub("[^%g ]", "?")
end

local function add_member(tree, range, member)
	local shown = member[4]
	local item

	if shown == "zero" then
		if is_zero(range) then
			return
		end
		item = tree:add(member.field, range)
		item:add_proto_expert_info(experts.zero)
	elseif shown == "octets" then
		tree:add(member.field, range)
	else
		item = tree:add_le(member.field, range)
	end
	if shown == "features" then
		item:append_text(" (" .. feature_names(range:le_uint64()) .. ")")
	elseif shown == "fourcc" then
		item:append_text(" (" .. fourcc_text(range) .. ")")
	elseif shown == "timeline" and range:le_uint() == 0xffffffff then
		item:append_text(" (none)")
	end
end

-- Shows what there is of a structure; a packet that is cut short says so.
local function add_structure(tree, body, name)
	for _, member in ipairs(structures[name]) do
		if member[2] + member[3] > body:len() then
			tree:add_proto_expert_info(experts.short)
			return false
		end
		add_member(tree, body(member[2], member[3]), member)
	end
	return true
end

local function id_text(range)
	return range:bytes():tohex():lower():sub(1, 8)
end

-- ---- Requests and their answers --------------------------------------------

local asked, answer_of, request_of

function proto.init()
	asked, answer_of, request_of = {}, {}, {}
end

local function key(link, requester, id)
	return link .. "/" .. requester .. "/" .. id
end

local function pair_up(pinfo, tree, packet, id)
	local requester = packet.kind == REQUEST and packet.sender or 1 - packet.sender
	local name = key(packet.link, requester, id)

	if not pinfo.visited then
		if packet.kind == REQUEST then
			asked[name] = pinfo.number
		elseif asked[name] then
			answer_of[asked[name]] = pinfo.number
			request_of[pinfo.number] = asked[name]
			asked[name] = nil
		end
	end
	if answer_of[pinfo.number] then
		tree:add(fields.answer, answer_of[pinfo.number]):set_generated()
	elseif request_of[pinfo.number] then
		tree:add(fields.request, request_of[pinfo.number]):set_generated()
	end
end

-- ---- Kinds -----------------------------------------------------------------

-- What is worth telling of a message in one line, beside its name.
local summaries = {
	hello = function(body) return "features " .. feature_names(body(24, 8):le_uint64()) end,
	close = function(body) return reasons[body(8, 4):le_uint()] end,
	export = function(body) return "buffer " .. id_text(body(8, 16)) end,
	unexport = function(body) return "buffer " .. id_text(body(8, 16)) end,
	buffer = function(body) return "buffer " .. id_text(body(8, 16)) end,
	cpu_access = function(body) return "buffer " .. id_text(body(8, 16)) end,
	allocate_answer = function(body) return "buffer " .. id_text(body(8, 16)) end,
	query_answer = function(body) return states[body(8, 4):le_uint()] end,
	unexport_answer = function(body)
		return body(8, 4):le_uint() == 0 and "not mapped" or "still mapped"
	end,
	timeline = function(body) return "timeline " .. body(8, 4):le_uint() end,
	error = function(body)
		return (places[body(8, 4):le_uint()] or "?") .. " " .. tostring(body(16, 8):le_uint64())
	end,
	hand_off = function(body)
		local text = "buffer " .. id_text(body(8, 16))

		if body(44, 4):le_uint() ~= 0xffffffff then
			text = text .. ", signal " .. body(44, 4):le_uint() .. "@" ..
				tostring(body(32, 8):le_uint64())
		end
		if body(40, 4):le_uint() ~= 0xffffffff then
			text = text .. ", wait " .. body(40, 4):le_uint() .. "@" ..
				tostring(body(24, 8):le_uint64())
		end
		return body(48, 4):le_uint() == 1 and text .. ", more" or text
	end,
}

local function structure_of(packet, operation, status)
	if packet.kind == REQUEST then
		return requests[operation]
	elseif status ~= 0 then
		return "error"
	end
	return answers[operation] or "plain"
end

-- The status of a request is a zero field.
local function add_header(tree, packet, body)
	local members = structures.header

	for _, member in ipairs(members) do
		local range = body(member[2], member[3])

		if member[1] ~= "status" or packet.kind == ANSWER then
			add_member(tree, range, member)
		elseif not is_zero(range) then
			tree:add_le(member.field, range):add_proto_expert_info(experts.zero)
		end
	end
end

local function add_message(pinfo, tree, packet, body)
	local id, number, status, operation, structure, text

	if body:len() < 64 then
		tree:add_proto_expert_info(experts.short)
		return "a message that is too short"
	end
	add_header(tree, packet, body)
	id, number, status = body(0, 4):le_uint(), body(4, 2):le_uint(), body(6, 2):le_uint()
	operation = operations[number]
	text = string.format("%s #%u", operation or string.format("operation 0x%x", number), id)
	structure = structure_of(packet, operation, status)
	if structure then
		add_structure(tree, body, structure)
	else
		tree:add(fields.unknown, body(8))
	end
	if packet.kind == ANSWER then
		text = text .. " " .. (statuses[status] or "status " .. status)
		if status ~= 0 then
			tree:add_proto_expert_info(experts.refused, text)
		end
	end
	pair_up(pinfo, tree, packet, id)
	if structure and summaries[structure] then
		text = text .. ", " .. (summaries[structure](body) or "?")
	end
	return text
end

local function add_record(tree, body)
	local epoch

	for line in body():string():gmatch("[^\n]+") do
		tree:add(fields.record, body(), line)
		epoch = epoch or line:match("^epoch=.*")
	end
	return "publishes its record" .. (epoch and ", " .. epoch or "")
end

local function add_channel(tree, body)
	if not add_structure(tree, body, "channel") then
		return "a channel page that is too short"
	end
	for at = 64, body:len() - 8, 8 do
		tree:add_le(fields.reference, body(at, 8))
	end
	return "channel page, " .. body(44, 4):le_uint() .. " references"
end

local function add_descriptor(tree, body)
	local kind

	if not add_structure(tree, body, "descriptor") then
		return "a descriptor that is too short"
	end
	kind = metadata[body(96, 4):le_uint()]
	if kind then
		add_structure(tree, body, kind)
	end
	if body:len() > 256 then
		tree:add(fields.private, body(256))
	end
	return string.format("descriptor of buffer %s, %s octets", id_text(body(8, 16)),
		tostring(body(32, 8):le_uint64()))
end

local function add_point(tree, body)
	local text

	if not add_structure(tree, body, "point") then
		return "a point that is too short"
	end
	text = string.format("point %s of timeline %u of the %s", tostring(body(8, 8):le_uint64()),
		body(4, 4):le_uint(), roles[body(0, 4):le_uint()] or "?")
	if body(16, 4):le_uint() ~= 0 then
		text = text .. ", " .. (statuses[body(16, 4):le_uint()] or "?")
	end
	return text
end

local function add_down(tree, body)
	tree:add(fields.why, body())
	return "down: " .. body():string()
end

local function add_body(pinfo, tree, packet, body)
	if packet.kind == REQUEST or packet.kind == ANSWER then
		return add_message(pinfo, tree, packet, body)
	elseif packet.kind == RECORD then
		return add_record(tree, body)
	elseif packet.kind == CHANNEL then
		return add_channel(tree, body)
	elseif packet.kind == DESCRIPTOR then
		return add_descriptor(tree, body)
	elseif packet.kind == POINT then
		return add_point(tree, body)
	elseif packet.kind == DOWN then
		return add_down(tree, body)
	end
	tree:add(fields.unknown, body())
	return "an event of kind " .. packet.kind
end

-- ---- The packet ------------------------------------------------------------

function proto.dissector(buffer, pinfo, tree)
	local packet, text

	pinfo.cols.protocol = "hdmabuf"
	tree = tree:add(proto, buffer())
	if buffer:len() < 8 then
		tree:add_proto_expert_info(experts.short)
		return
	end
	packet = { kind = buffer(1, 1):uint(), sender = buffer(2, 1):uint(), link = buffer(4, 4):le_uint() }
	tree:add(fields.version, buffer(0, 1))
	tree:add(fields.kind, buffer(1, 1))
	tree:add(fields.sender, buffer(2, 1))
	tree:add(fields.observer, buffer(3, 1))
	tree:add_le(fields.link, buffer(4, 4))
	pinfo.cols.src = roles[packet.sender] or "?"
	pinfo.cols.dst = roles[1 - packet.sender] or "?"
	if buffer:len() > 8 then
		text = add_body(pinfo, tree, packet, buffer(8):tvb())
	else
		text = packet.kind == RECORD and "withdraws its record" or "nothing"
	end
	pinfo.cols.info = text
	tree:append_text(", " .. (roles[packet.sender] or "?") .. ": " .. text)
end

DissectorTable.get("wtap_encap"):add(wtap.USER0, proto)
