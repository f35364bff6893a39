package stories

import "testing"

// controls lists the controls of the page, of the dialog if one is open, that are
// smaller than least pixels in height or width, and, for a finger, those nearer
// than 8 px to the next one.
const controls = `(least,finger)=>{
	const root=document.querySelector('dialog[open]')??document,bad=[],name=e=>(e.dataset.testid||e.id||e.className||e.tagName)+' "'+(e.innerText||e.ariaLabel||e.value||'').replace(/\s+/g,' ').slice(0,40)+'"'
	const box=e=>{const l=e.matches('input[type=radio],input[type=checkbox]')?e.closest('label'):null;return l??e}
	const all=[...new Set([...root.querySelectorAll('a[href],button,input:not([type=hidden]),select,textarea,summary')].filter(e=>e.checkVisibility({visibilityProperty:true})&&!e.closest('.vh,.skip')).map(box))].filter(e=>e.getClientRects().length&&!e.matches('.skip,.vh'))
	const inText=e=>getComputedStyle(e).display==='inline'&&e.tagName==='A'&&[...e.parentElement.childNodes].some(n=>n.nodeType===3&&n.data.trim())
	const layer=e=>{for(let x=e;x&&x!==root;x=x.parentElement){const p=getComputedStyle(x).position;if(p==='fixed'||p==='sticky') return x}return root}
	const rs=all.filter(e=>!inText(e)).map(e=>({e,r:e.getBoundingClientRect(),l:layer(e)}))
	for(const {e,r} of rs) if(r.height<least-.5||r.width<least-.5) bad.push(name(e)+' is '+Math.round(r.width)+' × '+Math.round(r.height)+' px')
	if(finger) for(let i=0;i<rs.length;i++) for(let j=i+1;j<rs.length;j++){const a=rs[i],b=rs[j];if(a.l!==b.l||a.e.contains(b.e)||b.e.contains(a.e)) continue
		const dx=Math.max(a.r.left-b.r.right,b.r.left-a.r.right),dy=Math.max(a.r.top-b.r.bottom,b.r.top-a.r.bottom),gap=Math.max(dx,dy)
		if(gap<7.5) bad.push(name(a.e)+' and '+name(b.e)+' are '+gap.toFixed(1)+' px apart')}
	return bad}`

// clipped lists texts that are cut off: by the edge of the screen, by a box that
// hides what does not fit, by dots.
const clipped = `finger=>{
	const root=document.querySelector('dialog[open]')??document.body,bad=new Set(),wide=document.documentElement.clientWidth
	if(document.documentElement.scrollWidth>wide+1) bad.add('the page is '+document.documentElement.scrollWidth+' px wide on a screen of '+wide)
	const w=document.createTreeWalker(root,NodeFilter.SHOW_TEXT),range=document.createRange()
	for(let n=w.nextNode();n;n=w.nextNode()){
		const e=n.parentElement
		if(!n.data.trim()||!e||e.closest('.vh,.skip,script,style,noscript,svg,canvas,.maplibregl-map')||!e.checkVisibility({visibilityProperty:true,opacityProperty:true})||[e,e.parentElement].some(x=>x.clientWidth===1&&x.clientHeight===1)) continue
		range.selectNodeContents(n)
		for(const r of range.getClientRects()){
			if(r.width<1) continue
			const say=why=>bad.add('"'+n.data.trim().slice(0,50)+'" '+why+' ('+(e.closest('[data-testid],[id],[class]')?.className||e.tagName)+')')
			if(finger&&(r.right>wide+1||r.left<-1)) say('leaves the screen by '+Math.round(Math.max(r.right-wide,-r.left))+' px')
			for(let x=e;x&&x!==document.documentElement;x=x.parentElement){
				const s=getComputedStyle(x),b=x.getBoundingClientRect()
				if(/hidden|clip/.test(s.overflowX)&&(r.right>b.right+1.5||r.left<b.left-1.5)&&(finger||!x.title&&!e.title)) say('is cut off at the side by '+Math.round(Math.max(r.right-b.right,b.left-r.left))+' px')
				if(/hidden|clip/.test(s.overflowY)&&(r.bottom>b.bottom+1.5||r.top<b.top-1.5)&&x!==document.body&&x.scrollHeight>x.clientHeight+1&&!/auto|scroll/.test(s.overflowY)) say('is cut off below')
				if(/auto|scroll/.test(s.overflowY)) break
				if(s.position==='fixed') break
			}
		}
	}
	return [...bad]}`

// A finger that trembles hits every control of the phone; a letter that is large
// stays whole. The desk's mouse needs 32 px.
func TestTargetsAndText(t *testing.T) {
	for _, l := range looks {
		t.Run(l.name, func(t *testing.T) {
			i := l.of(t)
			i.targets.report(t)
			i.text.report(t)
		})
	}
}

// The yardsticks find what they are made for.
func TestYardsticksFindWhatIsBroken(t *testing.T) {
	p := arrive(t, play(t, noOptions), "somebody", phone).signIn("member")
	p.do(`{const d=document.createElement('div'),b=id=>Object.assign(document.createElement('button'),{id,textContent:'x'}),cut=document.createElement('p');cut.textContent='so many letters that they do not fit';d.append(b('b1'),b('b2'),cut);document.querySelector('main').append(d);b1.style.cssText=b2.style.cssText='width:40px;height:60px;display:inline-block;margin:0';cut.style.cssText='width:80px;overflow:hidden;white-space:nowrap'}`)
	if got := value[[]string](p, "("+controls+")(56,true)"); len(got) < 3 || !containsAny(got[0], "40 × 60") {
		t.Errorf("controls: %q", got)
	}
	if got := value[[]string](p, "("+clipped+")(true)"); len(got) != 1 || !containsAny(got[0], "so many letters") {
		t.Errorf("text: %q", got)
	}
}
