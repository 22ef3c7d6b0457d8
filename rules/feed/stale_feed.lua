-- rules/feed/stale_feed.lua - nothing came for far longer than is usual for this instrument.
-- Why: a dead feed looks like a calm market. Every other rule is blind while it lasts, and the last price is no price.
--
-- How: each record moves the usual gap, which fades with event time (so a long gap weighs as long as it lasted, and one silence enters as at
-- most `cap` times the usual), and the longest gap, which fades the same way: before the open quotes come in bursts, and a pause is long only
-- beside the pauses of the last half hour. One timer is kept: it is asked for once, and when it finds that records came meanwhile it asks again for what
-- is left, so a busy feed costs no timer a record. A halted or closed market is silent by right.
rule "stale_feed" {
  state = { last = 0, usual = 0, longest = 0, count = 0, armed = 0, shut = 0 },
  state_version = 2,
  params = { times = 100, least = 15, warm = 50, half_life = 1800, cap = 8, longest = 3 },

  on_event = function(ctx, e, f, s)
    local p = ctx.params
    if e.type == "status" then
      s.shut = (e.phase == "halt" or e.phase == "closed") and 1 or 0
    end
    local gap = e.ts - s.last
    if gap >= 0 then
      if s.count > 0 then
        local fade = math.exp2(-gap / p.half_life)
        s.longest = math.max(s.longest * fade, math.min(gap, 2 * math.max(p.least, p.longest * s.longest)))
      end
      if s.count == 1 then
        s.usual = gap
      elseif s.count > 1 then
        if s.usual > 0 and gap > p.cap * s.usual then gap = p.cap * s.usual end
        s.usual = s.usual + (1 - math.exp2(-gap / p.half_life)) * (gap - s.usual)
        if s.count < p.warm then s.usual = math.max(s.usual, gap / s.count) end
      end
      s.last = e.ts
      s.count = s.count + 1
    end
    if s.armed == 0 and s.shut == 0 and s.count >= p.warm then
      s.armed = 1
      ctx.timer(math.max(p.least, p.times * s.usual, p.longest * s.longest))
    end
  end,

  on_timer = function(ctx, f, s)
    local p = ctx.params
    s.armed = 0
    if s.shut == 1 then return end
    local limit = math.max(p.least, p.times * s.usual, p.longest * s.longest)
    local silent = ctx.now() - s.last
    if silent >= limit then
      ctx.alert { score = silent / limit } -- the next record arms the timer again
    else
      s.armed = 1
      ctx.timer(limit - silent)
    end
  end,

  severity = "error",
  message  = "{symbol} is silent for far longer than usual: its feed may be dead",
  cooldown = "5m",
}
