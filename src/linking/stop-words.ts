// Short on purpose: inverse document frequency takes care of the rest. A word that means something in
// another of these languages ("die", "war", "son", "sin", "pour", "once") is left out of the list.
const LISTS = [
  // English
  `a about above after again against all also am an and any are aren as at be because been before being below
  between both but by can cannot could couldn did didn do does doesn doing don down during each few for from
  further had hadn has hasn have haven having he her here hers herself him himself his how i if in into is isn it
  its itself just ll me more most my myself no nor not of off on only or other our ours out over own re same she
  should shouldn so some such than that the their theirs them themselves then there these they this those through
  to too under until up ve very was wasn we were weren what when where which while who whom why will with won would
  wouldn you your yours yourself`,
  // German
  `aber alle allem allen aller alles als auch auf aus bei beim bin bis bist dadurch daher dann darum das dass dein
  deine dem den denn der des dich dies diese diesem diesen dieser dieses dir doch dort du durch ein eine einem
  einen einer eines er es euer eure für gegen gewesen hab habe haben hat hatte hatten hier hinter ich ihm ihn ihnen
  ihr ihre ihrem ihren ihrer im ist ja jede jedem jeden jeder jedes jener jetzt kann kannst können könnte mein meine
  mich mir mit muss müssen nach nicht nichts noch nun nur ob oder ohne sehr sein seine seinem seinen seiner seit
  sich sie sind sollte sondern über um und uns unser unsere unter vom von vor wann warum wegen weil welche welchem
  welchen welcher welches wenn werde werden wie wieder wir wird wirst wurde wurden zu zum zur zwischen`,
  // French
  `ai aient ainsi alors au aucun aura autre aux avaient avait avec avez avons avoir c ce ceci cela celle celles celui
  ces cet cette ceux chez comme d dans de depuis des deux donc dont du elle elles en encore entre est et étaient
  était étant été être eu eux faire fait furent ici il ils j je l la le les leur leurs lors lui ma mais même mes moi
  mon n ne nos notre nous on ont ou où par parce pas peu peut plus pourquoi qu quand que quel quelle quelles quels
  qui quoi s sa sans se sera ses si sont sous sur ta te tes toi tous tout toute toutes très trop tu un une vos votre
  vous y`,
  // Spanish and Portuguese
  `al algo algunas algunos ante antes aquí así cada como con contra cual cuando cuál da das del desde do donde dos
  durante e ela elas ele eles ella ellas ellos em então entonces entre era eran eres esa esas ese eso esos essa esse
  esta está estaba estado están estar estas este esto estos eu foi foram há han hasta hay isso isto já la las le les
  lo los mais mas más me mesmo meu mi minha mis mucho muito muy na não nas nem ni no nos nosotros nossa nosso nuestra
  nuestro num numa o os otra otro otros para pela pelo pero poco por porque pelos qual quando que qué quem quien
  são se sea sem ser será seu seus si sí sido siempre sin sobre somos soy su sua suas sus también também te tem têm
  tener tiene tienen todo todos tu tus uma umas uno unos unas um uns usted vosotros ya yo à às é él`,
  // Italian
  `agli ai alla alle allo anche avere aveva che chi ci coi col come con così cui dagli dai dal dalla dalle dallo dei
  degli del della delle dello di dove ed era erano essere fra gli ha hanno ho il io loro lui mia mie miei mio molto
  nei negli nel nella nelle nello noi non nostra nostro ogni perché più poi può quale quando quella quelle quelli
  quello questa queste questi questo sia siamo sono sua sue sugli sui sul sulla sulle suo suoi tra tutti tutto una
  uno voi`,
  // Dutch
  `aan al alles als altijd andere ben bij daar dan dat de deze dit doch doen door dus een eens en er ge geen geweest
  haar had heb hebben heeft hem het hier hij hoe hun iemand iets ik in is ja je kan kon kunnen maar meer men met mij
  mijn moet na naar niet niets nog nu of om omdat onder ons ook op over reeds te tegen toch toen tot u uit uw van
  veel voor want waren wat werd wezen wie wil worden wordt zal ze zelf zich zij zijn zo zonder zou`,
  // Swedish, Danish and Norwegian
  `af alla alle allt andre andra att av blev bli blir blive da de deg deira dem den denna denne der deras dere deres
  det detta dette dig din ditt du där då efter eller en enn er ett etter från fra før för ha hade han har havde hende
  henne hennes hon hos hun hur hvad hvem hvis hvor hvordan i icke ikke ingen inn inte jag jeg kan kommer kunne man
  med meg mellan mellom men mig min mitt mot mycket ned ni noen nogle noget nu när och og også om opp os oss på
  samma sedan seg selv sig sin sina sitt sjøl skal ska skulle som så till til under upp ut uten utan vad var vara
  vår vart ved vem vi vid vil ville være vært är även å`,
  // Polish and Czech
  `aby albo ale ani asi až bez będzie był była było były być byl byla bylo byly być ci co czy dla do gdy gdzie go
  ich jak jako jednak jego jej jest jestem jeśli jeho její jen ještě již jsem jsme jsou kde kdy když která które
  który którzy která které který lub ma mají może na nad nebo nic nie o od oraz po pod podle pro przed przez przy
  są się se si svůj ta tak také takže tam te tedy ten tego tej to tu tym tylko u v ve w we więc za ze że že z`,
  // Russian and Ukrainian, in full: words are looked up before they are cut
  `а без более бы был была были было быть в вам вас весь во вот все всего всех вы где да даже для до его ее её если
  есть ещё еще же за здесь и из или им их к как какой когда кто ли либо между меня мне может мы на над надо нас не
  него нет ни них но ну о об один он она они оно от очень по под после потому при про с со так также такой там те
  тем то того тоже той только том ты у уже хотя чего чей чем что чтобы чьё эта эти это этого этой этом этот я
  або але був була були бути від він вона вони все ви де для до є його й її їх і із коли ми на не ні по при про та
  так також там те ти то у цей ця це ці час чи що щоб як який яка яке які з за`,
  // Turkish
  `ama ancak bana bazı ben beni benim bir biri biz bu buna bunu çok çünkü da daha de değil diye en gibi hem hep her
  için ile ise kadar ki kim mı mi mu mü nasıl ne neden niçin o olan olarak oldu olduğu olur onlar onu sen siz şey şu
  var ve veya ya yani`,
  // Chinese and Japanese, as the segmenter cuts them
  `的 了 和 是 在 我 有 也 不 就 都 而 及 与 與 或 一个 一個 没有 沒有 我们 我們 你 你们 他 她 它 他们 这 這 那 这个 這個 那个
  为 為 以 于 於 对 對 从 從 到 被 把 让 讓 将 會 会 可以 上 下 中 之 其 此 等 但 但是 因为 因為 所以 如果 一 吗 呢 吧 啊 很 更 最 着 过
  の に は を が と で て た し も な い る れ ら さ ます です ない こと もの ため よう これ それ この その あの する した して
  いる ある なる れる られ から まで など へ や か ね よ ので のに だ でも また には では`,
];

// "C", "R" and "Q" are names; a single small letter is no word anyway.
const BARE_LETTER = /^[b-hj-z]$/;

/** Words too common to say what a note is about, lower case, in the languages of most notes. */
export const STOP_WORDS: ReadonlySet<string> = new Set(
  LISTS.flatMap((list) => list.split(/\s+/)).filter((word) => !BARE_LETTER.test(word)),
);
